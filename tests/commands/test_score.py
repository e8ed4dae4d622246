"""`yt8m score`: the metrics of two tables, and what does not go together."""

import json

import pytest

from yt8m.cli import main


@pytest.fixture
def tables(tmp_path):
    def write(predictions, labels):
        (tmp_path / "p.csv").write_text(f"VideoId,LabelConfidencePairs\n{predictions}\n")
        (tmp_path / "l.csv").write_text(f"VideoId,Labels\n{labels}\n")
        return str(tmp_path / "p.csv"), str(tmp_path / "l.csv")

    return write


def test_metrics_by_hand(tables, capsys):
    """Four pairs by score: right, wrong, right, wrong, of three labels; lines in another order."""
    main(["score", *tables("a,1 0.9 2 0.5\nb,3 0.7 4 0.6", "b,4\na,1 5")])
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["gap", "map", "hit1", "perr"]
    assert found["gap"] == pytest.approx((1 + 2 / 3) / 3)
    assert found["hit1"] == 0.5
    assert found["perr"] == pytest.approx((1 / 2 + 0) / 2)
    assert found["map"] == pytest.approx((1 + 1 + 1 / 2) / 3)


def test_ids_that_differ(tables, fails):
    predictions, labels = tables("a,1 0.5\nb,1 0.5\nx,1 0.5", "a,1\nc,1\nd,1\ne,1\nf,1")
    assert fails("score", predictions, labels) == (
        f"yt8m: {predictions}: expected predictions of the same videos as {labels}, "
        "missing are 4 (c, d, e, …), too many are 2 (b, x)"
    )


def test_ids_that_repeat(tables, fails):
    predictions, labels = tables("a,1 0.5\na,1 0.5", "a,1")
    assert fails("score", predictions, labels).endswith("expected each id once, repeated are 1 (line 3: a)")


def test_malformed_lines(tables, fails):
    predictions, labels = tables("a,1 0.5\nb,1", "a,1\nb,1")
    assert "wrong are 1 (line 3: 'b,1')" in fails("score", predictions, labels)


def test_no_labels_file(tables, fails):
    predictions, _ = tables("a,1 0.5", "a,1")
    assert "none.csv" in fails("score", predictions, "none.csv")


def test_no_labels_in_the_file(tables, fails):
    predictions, labels = tables("a,1 0.5\nb,1 0.5", "a,\nb,")
    assert fails("score", predictions, labels) == f"yt8m: {labels}: expected labels, received 2 videos without any"


def test_names_are_not_scored(tables, fails):
    predictions, labels = tables("a,Video_game 0.5", "a,1")
    assert "line 2: 'a,Video_game 0.5'" in fails("score", predictions, labels)
