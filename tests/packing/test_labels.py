"""Labels by index and by name, in cells and in lines."""

import re

import pytest

from yt8m.core.errors import InputError
from yt8m.packing.labels import read_labels


@pytest.fixture
def read(tmp_path):
    """A function from the text of a table, and of one of classes, to what is read."""

    def run(text, classes=None, **options):
        (tmp_path / "labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        if classes is not None:
            (tmp_path / "classes.csv").write_bytes(classes.encode("latin-1"))
            options["table"] = tmp_path / "classes.csv"
        return read_labels(tmp_path / "labels.csv", **options)

    return run


def plain(labels):
    return {id: classes.tolist() for id, classes in labels.classes.items()}


@pytest.mark.parametrize("between", [" ", ";", "|", "; ", " | "])
def test_indices(read, between):
    labels = read(f"id,labels\na,3{between}1\nb,\nc,0\n")
    assert plain(labels) == {"a": [1, 3], "b": [], "c": [0]}
    assert labels.names == ["class 0", "class 1", "class 2", "class 3"]
    assert labels.classes["a"].dtype == labels.classes["b"].dtype == "int32"


@pytest.mark.parametrize("between", [" ", ";", "|"])
def test_names_are_sorted(read, between):
    labels = read(f"VideoId,Labels\na,dog{between}cat\nb,ant\n")
    assert (plain(labels), labels.names) == ({"a": [1, 2], "b": [0]}, ["ant", "cat", "dog"])


def test_names_with_spaces(read):
    labels = read("id,labels\na,big dog;cat\nb,big dog\n")
    assert (plain(labels), labels.names) == ({"a": [0, 1], "b": [0]}, ["big dog", "cat"])
    labels = read("id,labels\na,big dog\nb,cat\n", "index,name\n0,cat\n1,big dog\n")
    assert plain(labels) == {"a": [1], "b": [0]}


def test_a_line_for_each_pair(read):
    labels = read("id,class\na,2\nb,0\na,1\na,2\n")
    assert plain(labels) == {"a": [1, 2], "b": [0]}


def test_what_a_spreadsheet_writes(read):
    labels = read(b'\xef\xbb\xbfVideo ID,Note,Label\r\n"a","x, y",caf\xc3\xa9\r\nb,,tea\r\n')
    assert (plain(labels), labels.names) == ({"a": [0], "b": [1]}, ["café", "tea"])


def test_a_table_of_classes_says_the_order_and_the_number(read):
    table = "index,mid,display_name\n0,/m/0,dog\n1,/m/1,cat\n2,/m/2,ant\n"
    labels = read("id,labels\na,cat\nb,dog\n", table)
    assert (plain(labels), labels.names) == ({"a": [1], "b": [0]}, ["dog", "cat", "ant"])
    assert read("id,labels\na,1\n", table).names == ["dog", "cat", "ant"]


def test_splits(read):
    labels = read("id,labels,part\na,1,train\nb,0,test\na,0,train\n", split_column="part")
    assert labels.splits == {"a": "train", "b": "test"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected one column called id or videoid, received []"),
        ("a,1\nb,2\n", "expected one column called id or videoid, received ['a', '1']"),
        ("id,kind\na,1\n", "expected one column called labels or label or classes or class, received ['id', 'kind']"),
        ("id,label,class\na,1,1\n", "received ['id', 'label', 'class']"),
        ("id,labels\n", "expected classes, received none in 0 lines"),
        ("id,labels\na,\n", "expected classes, received none in 1 lines"),
        ("id,labels\na,20190214\n", "expected class indices below 1048576, received 20190214"),
        ("id,labels\na,1\nb\n", "line 3: expected 2 cells"),
        ("id,labels\na,1,2\n", "line 2: expected 2 cells"),
        ("id,labels\n,1\n", "line 2: expected 2 cells with an id"),
        (b"id,labels\na,caf\xe9\n", "expected text in UTF-8"),
    ],
)
def test_a_table_that_is_not_as_expected(read, text, expected):
    with pytest.raises(InputError, match=re.escape(expected)) as refusal:
        read(text)
    assert "labels.csv" in str(refusal.value)


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        ("a,dog\nb,cow\nc,ox\n", "index,name\n0,dog\n", "received none called 2 (cow, ox)"),
        ("a,0\nb,5\n", "index,name\n0,dog\n1,cat\n", "received 2 and labels up to 5"),
        ("a,dog\n", "index,name\n0,caf\xe9\n", "expected text in UTF-8"),
        ("a,dog\n", "number,name\n0,dog\n", "expected columns 'index' and 'name'"),
    ],
)
def test_labels_that_do_not_go_with_the_classes(read, labels, classes, expected):
    with pytest.raises(InputError, match=re.escape(expected)) as refusal:
        read(f"id,labels\n{labels}", classes)
    assert "classes.csv" in str(refusal.value)


def test_splits_that_are_not_as_expected(read):
    with pytest.raises(InputError, match="expected a column 'part'"):
        read("id,labels\na,1\n", split_column="part")
    with pytest.raises(InputError, match=r"line 2: part: expected train, validate, test, received 'holdout'"):
        read("id,labels,part\na,1,holdout\n", split_column="part")
    with pytest.raises(InputError, match="a: expected one split, received train and test"):
        read("id,labels,part\na,1,train\na,1,test\n", split_column="part")
