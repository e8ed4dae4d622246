import numpy as np
import pytest

from yt8m.core.errors import InputError
from yt8m.records.classes import read_class_names, read_label_counts


def names_of(folder, text, classes=4):
    (folder / "classes.csv").write_text(text, encoding="utf-8")
    return read_class_names(folder / "classes.csv", classes)


def test_a_table_with_a_header_alone_names_none(tmp_path):
    assert names_of(tmp_path, "index,name\n", 3) == ["class 0", "class 1", "class 2"]


def test_a_missing_table(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_class_names(tmp_path / "none.csv", 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("index,name\n0,A\n1,B\n2,C\n3,D\n", ["A", "B", "C", "D"]),
        ("index,name\n3,D\n1,B\n0,A\n", ["A", "B", "class 2", "D"]),
        ("index,name\n0,\n1,  \n2, C \n", ["class 0", "class 1", "C", "class 3"]),
        ("index,name\n0,A\n4,beyond\n3862,far beyond\n", ["A", "class 1", "class 2", "class 3"]),
        (
            "Index,TrainVideoCount,Name,Vertical1\n2,99,Game,Games\n",
            ["class 0", "class 1", "Game", "class 3"],
        ),
        (
            'index,mid,display_name\n0,/m/1,"Speech, male"\n1,/m/2,Étude\n',
            ["Speech, male", "Étude", "class 2", "class 3"],
        ),
    ],
    ids=["in order", "out of order", "blank", "beyond", "YouTube-8M", "AudioSet"],
)
def test_names(tmp_path, text, expected):
    assert names_of(tmp_path, text) == expected


@pytest.mark.parametrize("text", ["", "number,name\n0,A\n", "index,title\n0,A\n"])
def test_missing_columns(tmp_path, text):
    with pytest.raises(InputError, match=r"classes\.csv: expected columns 'index' and 'name'"):
        names_of(tmp_path, text)


def test_row_without_an_index(tmp_path):
    with pytest.raises(InputError, match=r"classes\.csv: line 2"):
        names_of(tmp_path, "name,index\nA\n")


@pytest.mark.parametrize("row", ["-1,A", "one,A", "0"], ids=["negative", "no number", "short"])
def test_bad_row(tmp_path, row):
    with pytest.raises(InputError, match=r"classes\.csv"):
        names_of(tmp_path, f"index,name\n{row}\n")


@pytest.mark.parametrize("counts", [[5], [3, 0, 12]])
def test_label_counts(tmp_path, counts):
    rows = [f"{index},{count}" for index, count in enumerate(counts)]
    (tmp_path / "counts.csv").write_text("\n".join(["index,videos", *rows]) + "\n")
    read = read_label_counts(tmp_path / "counts.csv")
    assert read.tolist() == counts
    assert read.dtype == np.int64
