"""The bootstrap against copies of videos, and its intervals against what is known."""

import numpy as np
import pyarrow as pa
import pytest

from yt8m.scoring import bootstrap, metrics
from yt8m.scoring.bootstrap import Difference, Ranked, difference, gaps, resample
from yt8m.scoring.predictions import Predictions

CLASSES = 30


def predictions(scores, hot, k=25):
    ids = pa.array([f"v{row}" for row in range(len(hot))])
    return Predictions(ids, [np.flatnonzero(row).astype(np.int32) for row in hot], *metrics.top_k(scores, k))


def drawn(videos, seed, noise=(0.3, 0.4)):
    """Labels, and a system's scores for each noise, of videos of one population."""
    random = np.random.default_rng(seed)
    hot = random.random((videos, CLASSES)) < 0.08
    return hot, [
        np.round(0.3 * hot + np.clip(random.normal(0.3, each, hot.shape), 0, 1), 2).astype(np.float32) for each in noise
    ]


def copied(found, times):
    """GAP of the videos, each copied so often."""
    rows = np.repeat(np.arange(len(times)), times)
    return metrics.gap(found.indices[rows], found.scores[rows], [found.labels[row] for row in rows])


@pytest.mark.parametrize("k", [3, 25])
def test_a_resample_is_the_gap_of_copies(k):
    """With many ties, across videos and between right and wrong, and videos without labels."""
    hot, (scores, _) = drawn(40, 0)
    found = predictions(scores, hot, k)
    ranked = Ranked.of(found)
    assert ranked.gap(np.ones(40, np.uint8)) == pytest.approx(metrics.gap(found.indices, found.scores, found.labels))
    for number in range(5):
        times = resample(40, 1, number)
        assert times.sum() == 40
        assert ranked.gap(times) == pytest.approx(copied(found, times), abs=1e-12)


def test_nothing_to_find_is_0():
    hot, (scores, _) = drawn(10, 0)
    assert Ranked.of(predictions(scores, np.zeros_like(hot))).gap(np.ones(10, np.uint8)) == 0
    assert Ranked.of(predictions(scores, hot)).gap(np.zeros(10, np.uint8)) == 0


def test_gaps_are_those_of_each_resample_and_follow_from_the_seed(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 7)
    hot, (scores, _) = drawn(50, 2)
    found = predictions(scores, hot)
    values = gaps(found, 3)
    assert values.shape == (7,)
    assert values.tolist() == [Ranked.of(found).gap(resample(50, 3, number)) for number in range(7)]
    assert values.tolist() == gaps(found, 3).tolist()
    assert values.tolist() != gaps(found, 4).tolist()
    assert len(set(values.tolist())) == 7


def test_a_difference_is_paired():
    """Of two systems that err on the same videos it is surer than each of them."""
    hot, (scores, _) = drawn(300, 5)
    one = gaps(predictions(scores, hot), 0)
    other = gaps(predictions((scores + 0.05 * hot).astype(np.float32), hot), 0)
    found = difference(0.02, other, one)
    assert found == Difference(0.02, float(np.std(other - one, ddof=1)))
    assert found.error < 0.5 * np.std(one)
    assert difference(0.0, one, one) == Difference(0.0, 0.0)


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.03, "better"), (-0.03, "worse"), (0.019, "no difference"), (0.0, "no difference")]
)
def test_verdicts(value, verdict):
    assert Difference(value, 0.01).verdict == verdict
    assert Difference(0.0, 0.0).verdict == "no difference"
    assert Difference(0.00004, 0.00001).verdict == "no difference"  # shown as 0.0000
    assert Difference(0.00006, 0.00001).verdict == "better"


def test_intervals_cover_the_truth_as_often_as_they_say(monkeypatch):
    """In 90 to 99 of 100 samples of a population whose difference is known."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 100)
    hot, systems = drawn(100_000, 99)
    one, other = (metrics.gap(*metrics.top_k(scores, 20), [np.flatnonzero(row) for row in hot]) for scores in systems)
    covered = 0
    for seed in range(100):
        hot, systems = drawn(400, seed)
        pairs = [predictions(scores, hot) for scores in systems]
        resampled, control = (gaps(pair, seed) for pair in pairs)
        value, base = (metrics.gap(pair.indices, pair.scores, pair.labels) for pair in pairs)
        found = difference(value - base, resampled, control)
        covered += abs(found.value - (one - other)) <= bootstrap.SURE * found.error
    assert 90 <= covered <= 99
