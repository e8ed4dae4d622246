from math import e, log10

import numpy as np
import pytest

from yt8m.augmentation.regimes import kept, neighbours, rarest_labels, target

THRESHOLDS = pytest.mark.parametrize("threshold", [1, 10, 300, 10_000])
MANY = 1000
IDS = [f"video{index}" for index in range(4000)]


@THRESHOLDS
def test_target_at_the_threshold(threshold):
    assert target(np.array(threshold), threshold) == pytest.approx(threshold)


@pytest.mark.parametrize("count", [200, 1000, 5000, 10_000, 788_288])
@pytest.mark.parametrize("scale", [1, 0.03])
def test_target_is_the_papers_scaled(count, scale):
    papers = ((log10(count) - 4) / 2 + 1) * 1e4
    assert target(np.array(count * scale), 1e4 * scale) == pytest.approx(papers * scale)


@THRESHOLDS
def test_rarer_classes_get_more_neighbours(threshold):
    found = [neighbours(count, threshold, MANY) for count in range(threshold + 1)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == 2
    assert min(found) >= 1
    if threshold >= 300:
        assert found[0] > found[-1]


@pytest.mark.parametrize("count", [273, 300, 1000, 3000, 10_000])
def test_neighbours_are_the_papers_down_to_its_peak(count):
    papers = ((log10(count) - 4) / 2 + 1) * 1e4
    assert neighbours(count, 10_000, MANY) == int(papers / count) + 1


@pytest.mark.parametrize("count", [0, 1, 50, 99, 100, 271])
def test_neighbours_stay_at_the_peak_below_it(count):
    """The ratio's derivative is zero where log10(n / 1e4) = 1 / ln 10 - 2, n = e * 100."""
    peak = e * 100
    most = ((log10(peak) - 4) / 2 + 1) * 1e4 / peak
    assert neighbours(count, 10_000, MANY) == int(most) + 1
    assert max(((log10(n) - 4) / 2 + 1) * 1e4 / n for n in range(1, 10_001)) <= most


@pytest.mark.parametrize("count", [301, 900, 3000, 30_000, 300_000])
def test_kept_is_one_in_n_by_target(count):
    one_in = int(count / (((log10(count / 300)) / 2 + 1) * 300))
    share = 1 / max(one_in, 1)
    found = [kept(id, count, 300) for id in IDS]
    assert abs(sum(found) - len(IDS) * share) <= 5 * np.sqrt(len(IDS) * share * (1 - share))
    assert found == [kept(id, count, 300) for id in IDS]


def test_kept_does_not_follow_the_order_of_ids():
    """The share is the same in each stretch of ids."""
    found = np.array([kept(id, 30_000, 300) for id in IDS]).reshape(8, -1).mean(1)
    assert np.all(np.abs(found - found.mean()) < 0.06)


@pytest.mark.parametrize("threshold", [None, 10_000])
def test_neighbours_are_not_more_than_the_most(threshold):
    assert neighbours(100, threshold, 3) == 3


def test_the_published_ratio_gives_8_neighbours_at_most():
    assert max(neighbours(count, 10_000, MANY) for count in range(10_001)) == 8


def test_rarest_labels_against_a_loop():
    counts = np.array([100, 50, 2, 2, 9])
    labels = [[0], [0, 1, 2], [], [0, 1], [2, 3], [1, 4], [0, 3, 4], []]
    expected = [min(row, key=lambda label: (counts[label], label), default=-1) for row in labels]
    assert rarest_labels([np.array(row, np.int32) for row in labels], counts).tolist() == expected
    assert expected == [0, 2, -1, 1, 2, 4, 3, -1]


@pytest.mark.parametrize("labels", [[], [np.empty(0, np.int32)] * 2])
def test_no_labels_have_no_rarest(labels):
    assert rarest_labels(labels, np.array([1, 1])).tolist() == [-1] * len(labels)
