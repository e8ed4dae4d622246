"""The challenge's files, written and scored."""

import json

import numpy as np
import pytest

from yt8m import metrics, submission
from yt8m.cli import main
from yt8m.submission import SubmissionError, pairs

VIDEOS, CLASSES, K = 50, 30, 20


@pytest.fixture
def files(tmp_path):
    """Predictions and labels of the same videos in another order, and their metrics."""
    random = np.random.default_rng(0)
    indices, scores = metrics.top_k(random.random((VIDEOS, CLASSES), np.float32), K)
    labels = [np.flatnonzero(row < 0.1) for row in random.random((VIDEOS, CLASSES))]
    lines = [f"v{row},{pairs(indices[row], scores[row])}" for row in range(VIDEOS)]
    write(tmp_path / "predictions.csv", "VideoId,LabelConfidencePairs", lines)
    true = [f"v{row},{' '.join(map(str, labels[row]))}" for row in random.permutation(VIDEOS)]
    write(tmp_path / "labels.csv", "VideoId,Labels", true)
    return tmp_path, metrics.all_metrics(indices, scores, labels)


def write(path, *lines):
    path.write_text("\n".join([lines[0], *lines[1]]) + "\n")


def test_pairs_give_back_the_same_floats():
    random = np.random.default_rng(0)
    scores = (random.random(2000, np.float32) ** 8).astype(np.float32)
    words = pairs(np.arange(2000), scores).split()
    assert [int(word) for word in words[::2]] == list(range(2000))
    np.testing.assert_array_equal(np.array(words[1::2], float).astype(np.float32), scores)


def test_pairs_with_names():
    assert (
        pairs(np.array([1, 0]), np.array([0.5, 0.25], np.float32), ["Car", "Video game"]) == "Video game 0.5; Car 0.25"
    )


def test_score_is_that_of_the_arrays(files, capsys):
    folder, expected = files
    main(["score", str(folder / "predictions.csv"), str(folder / "labels.csv")])
    assert json.loads(capsys.readouterr().out) == pytest.approx(expected, abs=1e-9)


def test_pairs_in_any_order_and_videos_with_fewer(tmp_path):
    write(tmp_path / "p", "VideoId,LabelConfidencePairs", ["a,3 0.5 1 0.9", "b,2 0.7", "c,"])
    write(tmp_path / "l", "VideoId,Labels", ["c,2", "a,1", "b,2 5"])
    found = submission.score(tmp_path / "p", tmp_path / "l")
    indices, scores = np.array([[1, 3], [2, 9], [9, 9]]), np.array([[0.9, 0.5], [0.7, -1], [-1, -1]])
    expected = metrics.all_metrics(indices, scores, [np.array([1]), np.array([2, 5]), np.array([2])])
    assert found == pytest.approx(expected)
    assert found["hit1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("which", "line", "match"),
    [
        ("predictions", "v1,3 0.5 4", r"line 2: expected a video and pairs of class and score, received 'v1,3 0.5 4'"),
        ("predictions", "v1,3 x", "line 2: expected a video and pairs"),
        ("predictions", "v1,3 nan", "line 2: expected a video and pairs"),
        ("predictions", "v1,-3 0.5", "line 2: expected a video and pairs"),
        ("predictions", "v1,3 0.5 3 0.4", "line 2: expected a video and pairs"),
        ("predictions", "v1", "line 2: expected a video and pairs"),
        ("predictions", "v2,1 0.5", r"line 4: expected each video once, received 'v2' again"),
        ("labels", "v1,1.5", "line 2: expected a video and its classes"),
        ("labels", "v1,1,2", "line 2: expected a video and its classes"),
    ],
)
def test_malformed_lines(files, which, line, match):
    folder, _ = files
    lines = (folder / f"{which}.csv").read_text().splitlines()
    (folder / f"{which}.csv").write_text("\n".join([lines[0], line, *lines[2:]]))
    with pytest.raises(SubmissionError, match=rf"{which}\.csv: {match}"):
        submission.score(folder / "predictions.csv", folder / "labels.csv")


@pytest.mark.parametrize("content", ["", "a,b\n", "VideoId,Labels\n"])
def test_another_header(files, content):
    folder, _ = files
    (folder / "predictions.csv").write_text(content)
    with pytest.raises(SubmissionError, match=r"line 1: expected VideoId,LabelConfidencePairs, received"):
        submission.score(folder / "predictions.csv", folder / "labels.csv")


def test_ids_that_differ(files, capsys):
    folder, _ = files
    lines = (folder / "predictions.csv").read_text().splitlines()
    (folder / "predictions.csv").write_text("\n".join([*lines[:-4], "x,1 0.5", "y,2 0.5"]))
    with pytest.raises(SystemExit) as end:
        main(["score", str(folder / "predictions.csv"), str(folder / "labels.csv")])
    message = str(end.value.code)
    assert "missing are 4 (" in message
    assert "too many are 2 (x, y)" in message
    assert "\n" not in message


def test_no_labels(files):
    folder, _ = files
    (folder / "labels.csv").unlink()
    with pytest.raises(SystemExit, match=r"yt8m: .*labels\.csv"):
        main(["score", str(folder / "predictions.csv"), str(folder / "labels.csv")])
