"""benchmarks.predict, without a look at the clock: both ways write the same, and what does not is noticed."""

import numpy as np
import pytest

from benchmarks import predict as benchmark
from benchmarks._common import console
from tests.models import tiny
from tests.records import made
from yt8m import models
from yt8m.core.schema import Level
from yt8m.scoring import submission

RESULT = {
    "videos": 100,
    "memory": 5e8,
    "difference": 1e-7,
    "seconds": {"predict": [2.0, 1.0, 9.0], "loop": [3.0] * 3, "read": [0.5] * 3},
}


@pytest.fixture
def work(tmp_path):
    """A model and shards for it."""
    models.save(tiny.randomized("dbow", made.SCHEMA), tiny.describe("dbow", made.SCHEMA), tmp_path / "model")
    made.write_shard(tmp_path / "a.tfrecord", Level.FRAME, 7)
    return tmp_path / "model", tmp_path / "a.tfrecord"


def test_both_ways_write_the_same(work, monkeypatch):
    monkeypatch.setattr(benchmark.predict, "BATCH", 3)
    model, shard = work
    result = benchmark.measure(str(model), [str(shard)], rounds=2)
    assert result["videos"] == 7
    assert result["difference"] < 1e-6
    assert {way: len(seconds) for way, seconds in result["seconds"].items()} == {"predict": 2, "loop": 2, "read": 2}
    assert min(min(seconds) for seconds in result["seconds"].values()) > 0


def write(path, ids, scores):
    with submission.writer(path, submission.PAIRS) as append:
        append(ids, submission.pairs(np.tile([1, 0], (len(ids), 1)), np.array(scores, np.float32)))


def test_scores_that_differ_are_noticed(tmp_path, work, monkeypatch):
    write(tmp_path / "one.csv", ["a", "b"], [[0.5, 0.25], [0.5, 0.25]])
    write(tmp_path / "two.csv", ["a", "b"], [[0.5, 0.25], [0.75, 0.25]])
    write(tmp_path / "other.csv", ["a", "c"], [[0.5, 0.25], [0.5, 0.25]])
    assert benchmark.largest_difference(tmp_path / "one.csv", tmp_path / "two.csv") == 0.25
    with pytest.raises(ValueError, match="same videos"):
        benchmark.largest_difference(tmp_path / "one.csv", tmp_path / "other.csv")
    monkeypatch.setattr(benchmark, "apart", lambda *_: RESULT | {"difference": 0.25})
    with pytest.raises(SystemExit, match="1"):
        benchmark.main(list(map(str, work)))


def test_ratios_are_of_medians(capsys):
    benchmark.show(console(), RESULT)
    out = capsys.readouterr().out
    for text in ("50", "25 %", "1.50", "0.50"):
        assert text in out


def test_a_pattern_without_a_match_ends_in_one_line(work):
    with pytest.raises(SystemExit, match=r"predict: none\*: expected shards"):
        benchmark.main([str(work[0]), "none*"])
