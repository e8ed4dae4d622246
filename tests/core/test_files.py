import csv
import json

import pytest

from yt8m.core.files import read_json, remove, whole, write_csv, write_json, write_text


def everything(folder):
    """Contents by path; folders that are empty are left out."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_appears_at_the_end(tmp_path):
    with whole(tmp_path / "new" / "file") as partial:
        partial.write_text("content")
        assert not (tmp_path / "new" / "file").exists()
    assert everything(tmp_path) == {"new/file": "content"}


def fail(path, error, folder):
    with whole(path) as partial:
        if folder:
            partial.mkdir()
        ((partial / "half") if folder else partial).write_text("half")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_the_old_file_alone(tmp_path, error):
    write_text(tmp_path / "file", "old")
    with pytest.raises(error):
        fail(tmp_path / "file", error, folder=False)
    assert everything(tmp_path) == {"file": "old"}


def test_failure_leaves_the_old_folder_alone(tmp_path):
    (tmp_path / "folder").mkdir()
    write_text(tmp_path / "folder" / "old", "old")
    with pytest.raises(RuntimeError):
        fail(tmp_path / "folder", RuntimeError, folder=True)
    assert everything(tmp_path) == {"folder/old": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_folder_is_replaced_not_merged(tmp_path):
    for name in ("old", "new"):
        with whole(tmp_path / "folder") as partial:
            partial.mkdir()
            (partial / name).write_text(name)
    assert everything(tmp_path) == {"folder/new": "new"}


def test_file_is_replaced_by_folder(tmp_path):
    write_text(tmp_path / "x", "file")
    with whole(tmp_path / "x") as partial:
        partial.mkdir()
        (partial / "inside").write_text("new")
    assert everything(tmp_path) == {"x/inside": "new"}


@pytest.mark.parametrize("stale", ["file", "folder"])
def test_stale_partial_is_removed(tmp_path, stale):
    partial = tmp_path / "out.partial"
    if stale == "file":
        partial.write_text("stale")
    else:
        partial.mkdir()
        (partial / "left").write_text("stale")
    with whole(tmp_path / "out") as path:
        assert not path.exists()
        path.mkdir()
        (path / "new").write_text("new")
    assert everything(tmp_path) == {"out/new": "new"}


def test_symlink_is_replaced_not_followed(tmp_path):
    """DVC may link outputs to its cache, which must not change."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "cached").write_text("cached")
    (tmp_path / "out").symlink_to(cache)
    with whole(tmp_path / "out") as partial:
        partial.mkdir()
        (partial / "new").write_text("new")
    assert not (tmp_path / "out").is_symlink()
    assert everything(cache) == {"cached": "cached"}
    assert everything(tmp_path / "out") == {"new": "new"}


def test_remove(tmp_path):
    remove(tmp_path / "nothing")
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    remove(tmp_path / "link")
    assert (tmp_path / "folder" / "deep").is_dir()
    remove(tmp_path / "file")
    remove(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_file_takes_the_place_of_a_folder(tmp_path):
    (tmp_path / "out" / "old").mkdir(parents=True)
    with whole(tmp_path / "out") as partial:
        partial.write_text("new")
    assert (tmp_path / "out").read_text() == "new"


def test_write_json(tmp_path):
    value = {"a": [1, 2.5, None], "ü": {"b": True}}
    write_json(tmp_path / "x.json", value)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert text.endswith("}\n")
    assert read_json(tmp_path / "x.json") == value


def test_read_json_of_another_writer(tmp_path):
    (tmp_path / "x.json").write_text('["ü", 1e-3]', encoding="utf-8")
    assert read_json(tmp_path / "x.json") == ["ü", 0.001]
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        read_json(tmp_path / "none.json")


HEADER = ("model", "GAP@20")
ROWS = [("gated NetVLAD", 0.5), ("mean, of 14", 1 / 3), ('"quoted"\nÉtude', 7)]


def test_write_csv(tmp_path):
    write_csv(tmp_path / "new" / "x.csv", HEADER, iter(ROWS))
    with (tmp_path / "new" / "x.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == HEADER
    assert [(name, float(value)) for name, value in rows] == ROWS
    assert b"\r" not in (tmp_path / "new" / "x.csv").read_bytes()


def test_a_table_without_rows_has_a_header(tmp_path):
    write_csv(tmp_path / "x.csv", HEADER, [])
    assert (tmp_path / "x.csv").read_text() == "model,GAP@20\n"


def test_rows_that_fail_leave_the_old_table_alone(tmp_path):
    def rows():
        yield ROWS[0]
        raise RuntimeError

    write_csv(tmp_path / "x.csv", HEADER, ROWS[:1])
    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "x.csv", HEADER, rows())
    assert everything(tmp_path) == {"x.csv": "model,GAP@20\ngated NetVLAD,0.5\n"}
