"""The challenge's tables: exact scores, and errors that name lines."""

import numpy as np
import pytest

from yt8m.scoring import metrics, submission
from yt8m.scoring.submission import SubmissionError, read_labels, read_names, read_predictions


def write(path, ids, indices, scores):
    with submission.writer(path, submission.PAIRS) as append:
        append(ids, submission.pairs(indices, scores))


def test_every_float32_is_read_as_it_was(tmp_path):
    """All exponents below 1, denormals too."""
    bits = np.random.default_rng(0).integers(0, np.float32(1).view(np.int32) + 1, (500, 3), np.int32)
    scores = -np.sort(-bits.view(np.float32), axis=1)
    write(tmp_path / "p.csv", map(str, range(500)), np.tile([4, 0, 7], (500, 1)), scores)
    read = read_predictions(tmp_path / "p.csv")
    np.testing.assert_array_equal(read.scores.astype(np.float32), scores)


def test_ids_may_hold_what_csv_quotes(tmp_path):
    ids = ["a,b", 'c"d', "e f", "字"]
    write(tmp_path / "p.csv", ids, np.zeros((4, 1), int), np.ones((4, 1), np.float32))
    assert read_predictions(tmp_path / "p.csv").ids.tolist() == ids


def test_a_line_with_fewer_pairs_lacks_them(tmp_path):
    (tmp_path / "p.csv").write_text("VideoId,LabelConfidencePairs\na,3 0.5 1 0.75\nb,2 0.25\nc,\n")
    read = read_predictions(tmp_path / "p.csv")
    labels = [np.array([1]), np.array([2, 3]), np.array([0])]
    found = metrics.all_metrics(read.indices, read.scores, labels)
    # By hand: 1 (right), 3 (wrong), 2 (right) of 4 labels.
    assert found["gap"] == pytest.approx((1 + 2 / 3) / 4)
    assert found["hit1"] == pytest.approx(2 / 3)
    assert found["perr"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["map"] == pytest.approx((1 / 3 + 1 + 1 + 1 / 3) / 4)


def test_pairs_may_come_in_any_order(tmp_path):
    (tmp_path / "p.csv").write_text("VideoId,LabelConfidencePairs\na,3 0.5 9 0.25 1 0.5 7 0.75\n")
    assert read_predictions(tmp_path / "p.csv").indices.tolist() == [[7, 1, 3, 9]]


def test_labels_are_classes_each_once(tmp_path):
    (tmp_path / "l.csv").write_text("VideoId,Labels\na,9 1 9\nb,\n")
    read = read_labels(tmp_path / "l.csv")
    assert [row.tolist() for row in read.labels] == [[1, 9], []]


PREDICTIONS = [
    ("a", 1),  # one column
    ("a,1 0.5,2", 1),
    ("a,1", 1),
    ("a,1 0.5 2", 1),
    ("a,x 0.5", 1),
    ("a,-1 0.5", 1),
    ("a,1.0 0.5", 1),
    ("a,99999999999999999999 0.5", 1),
    ("a,1 high", 1),
    ("a,1 nan", 1),
    ("a,1 inf", 1),
    ("a,1 0.5 1 0.25", 1),
    ("a,1\nb,2\nc,3\nd,4\ne,5", 5),
]


@pytest.mark.parametrize(("text", "count"), PREDICTIONS)
def test_malformed_predictions(tmp_path, text, count):
    (tmp_path / "p.csv").write_text(f"VideoId,LabelConfidencePairs\nfine,1 0.5\n{text}\n")
    with pytest.raises(
        SubmissionError, match=rf"p\.csv: expected .*, wrong are {count} \(line 3: '{text[:1]}"
    ) as error:
        read_predictions(tmp_path / "p.csv")
    assert ("line 5: 'c,3'; …" in str(error.value)) == (count == 5)
    assert "line 6" not in str(error.value)


@pytest.mark.parametrize("text", ["a", "a,x", "a,-1", "a,1 0.5", "a,99999999999", "a,1,2"])
def test_malformed_labels(tmp_path, text):
    (tmp_path / "l.csv").write_text(f"VideoId,Labels\nfine,1\n{text}\n")
    with pytest.raises(
        SubmissionError, match=r"l\.csv: expected an id and class indices .* on each line, wrong are 1 \(line 3: 'a"
    ):
        read_labels(tmp_path / "l.csv")


@pytest.mark.parametrize("text", ["", "VideoId,Labels\na,1\n", "a,1 0.5\n", "\0\1\2", '"' + "x" * 200_000])
def test_another_header(tmp_path, text):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(SubmissionError, match=r"p\.csv: ") as error:
        read_predictions(tmp_path / "p.csv")
    assert len(str(error.value).replace(str(tmp_path), "")) < 200


def test_a_header_alone(tmp_path):
    (tmp_path / "p.csv").write_text("VideoId,LabelConfidencePairs\n")
    with pytest.raises(SubmissionError, match=r"p\.csv: expected videos, received the header alone"):
        read_predictions(tmp_path / "p.csv")


def test_a_spreadsheets_mark_and_line_ends_are_read(tmp_path):
    (tmp_path / "p.csv").write_bytes(b"\xef\xbb\xbfVideoId,LabelConfidencePairs\r\na,1 0.5\r\n")
    assert read_predictions(tmp_path / "p.csv").ids.tolist() == ["a"]


def test_ids_that_repeat(tmp_path):
    (tmp_path / "l.csv").write_text("VideoId,Labels\na,1\nb,1\na,2\nb,1\n")
    with pytest.raises(SubmissionError, match=r"expected each id once, repeated are 2 \(line 4: a; line 5: b\)"):
        read_labels(tmp_path / "l.csv")


def test_a_failure_leaves_the_old_table(tmp_path):
    write(tmp_path / "p.csv", ["a"], np.zeros((1, 1), int), np.ones((1, 1), np.float32))
    before = (tmp_path / "p.csv").read_text()

    def write_half():
        with submission.writer(tmp_path / "p.csv", submission.PAIRS) as append:
            append(["b"], ["1 0.5"])
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_half()
    assert (tmp_path / "p.csv").read_text() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_names_have_no_spaces(tmp_path):
    (tmp_path / "classes.txt").write_text("Game\nVideo game\n")
    assert read_names(tmp_path / "classes.txt", 2) == ["Game", "Video_game"]
    with pytest.raises(ValueError, match="expected 3 class names"):
        read_names(tmp_path / "classes.txt", 3)


def test_blank_lines_are_left_out(tmp_path):
    (tmp_path / "l.csv").write_text("VideoId,Labels\n\na,1\n\n\nb,2\n\n")
    assert read_labels(tmp_path / "l.csv").ids.tolist() == ["a", "b"]


@pytest.mark.parametrize("classes", [10_000, 40_000])
def test_a_line_of_all_scores_of_a_video(tmp_path, classes):
    """Longer than the 131,072 characters that Python's csv takes by itself."""
    scores = np.sort(np.random.default_rng(0).random((1, classes), np.float32))[:, ::-1]
    write(tmp_path / "p.csv", ["a"], np.arange(classes)[None], scores)
    assert (tmp_path / "p.csv").stat().st_size > 1 << 17
    read = read_predictions(tmp_path / "p.csv")
    np.testing.assert_array_equal(read.scores.astype(np.float32), scores)
    (tmp_path / "l.csv").write_text(f"VideoId,Labels\na,{' '.join(map(str, range(classes)))}\n")
    assert len(read_labels(tmp_path / "l.csv").labels[0]) == classes


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "text",
    [
        "Game\nVideo game\nCar\n",
        "index,name\n2,Car\n0,Game\n1,Video game\n",
        "Index,TrainVideoCount,KnowledgeGraphId,Name\n0,9,/m/1,Game\n1,8,/m/2,Video game\n2,1,/m/3,Car\n",
        "index,mid,display_name\n0,/m/1,Game\n1,/m/2,Video game\n2,/m/3,Car\n",
    ],
    ids=["lines", "table", "YouTube-8M", "AudioSet"],
)
def test_names_from_any_table_of_classes(tmp_path, text, mark):
    (tmp_path / "names").write_text(mark + text, encoding="utf-8")
    assert read_names(tmp_path / "names", 3) == ["Game", "Video_game", "Car"]
