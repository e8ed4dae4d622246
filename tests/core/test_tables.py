"""Tables as people save them."""

import csv

import pytest

from yt8m.core.errors import InputError
from yt8m.core.tables import column, read_lines, read_rows


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["unix", "windows"])
def test_rows_and_lines(tmp_path, mark, end):
    path = tmp_path / "t.csv"
    path.write_bytes(mark + end.join([b"id,name", b"", b"1,\xc3\x89tude", b'2,"a, b"', b""]))
    assert list(read_rows(path)) == [(1, ["id", "name"]), (3, ["1", "Étude"]), (4, ["2", "a, b"])]
    assert read_lines(path) == ["id,name", "", "1,Étude", '2,"a, b"']


def test_a_field_of_any_length(tmp_path):
    long = "x" * 300_000
    (tmp_path / "t.csv").write_text(f"a,{long}\n")
    assert list(read_rows(tmp_path / "t.csv")) == [(1, ["a", long])]
    assert csv.field_size_limit() > 1 << 30


@pytest.mark.parametrize(
    ("content", "received"),
    [
        ("id,Étude\n".encode("latin-1"), "byte 0xc9"),
        ("id,Étude\n".encode("utf-16"), "UTF-16"),
        ("id,Étude\n".encode("utf-16-be"), "byte 0xc9"),
        (b"PK\x03\x04\x14\x00\xff", "a spreadsheet"),
    ],
    ids=["Latin-1", "UTF-16", "UTF-16 without a mark", "xlsx"],
)
@pytest.mark.parametrize("read", [lambda path: list(read_rows(path)), read_lines], ids=["rows", "lines"])
def test_other_encodings_are_named(tmp_path, content, received, read):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"t\.csv: expected text in UTF-8, received .*{received}.*: save it") as error:
        read(tmp_path / "t.csv")
    assert "\n" not in str(error.value)


def test_a_table_that_breaks_off(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n"c,d\n')
    assert list(read_rows(tmp_path / "t.csv")) == [(1, ["a", "b"]), (2, ["c,d\n"])]


@pytest.mark.parametrize(
    ("header", "place"), [(["id", "Name"], 1), (["display_name", "name "], 1), (["DISPLAY_NAME"], 0), (["title"], None)]
)
def test_columns_by_name(header, place):
    assert column(header, "name", "display_name") == place
