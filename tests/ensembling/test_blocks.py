"""Blocks of scores against dense arrays."""

import numpy as np
import pytest

from tests.ensembling.made import CLASSES, VIDEOS, block_of, correlated, store
from yt8m.ensembling import blocks
from yt8m.ensembling.blocks import combine, highest, joined
from yt8m.scoring.predictions import aligned


def test_a_block_holds_each_score_once():
    random = np.random.default_rng(0)
    scores, hot = random.random((VIDEOS, 4, CLASSES), np.float32), random.random((VIDEOS, CLASSES)) < 0.3
    block = block_of(scores, hot, k=3)
    dense = np.zeros(scores.shape, np.float32)
    for video, model, label in np.ndindex(scores.shape):
        if (scores[video, model] > scores[video, model, label]).sum() < 3:
            dense[video, model, label] = scores[video, model, label]
    for video in range(VIDEOS):
        kept = np.flatnonzero((dense[video] > 0).any(0))
        assert block.classes[video, : len(kept)].tolist() == kept.tolist()
        np.testing.assert_array_equal(block.scores[video, : len(kept)], dense[video][:, kept].T)
        np.testing.assert_array_equal(block.correct[video, : len(kept)], hot[video, kept])
        assert not block.scores[video, len(kept) :].any()
        assert not block.correct[video, len(kept) :].any()
    assert block.positives == hot.sum()


def test_part_of_a_block():
    scores, hot = correlated(0)
    rows = np.array([3, 8, 599])
    one, other = block_of(scores, hot).take(rows), block_of(scores[rows], hot[rows])
    for found, expected in zip(one[2:], other[2:], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert [row.tolist() for row in one.labels] == [row.tolist() for row in other.labels]
    assert one.positives == hot[rows].sum()


@pytest.mark.parametrize("power", [1, 0.5])
def test_combine(power):
    """Scores above 1 and below 0 are not cut off: no two of them tie there."""
    random = np.random.default_rng(0)
    scores, weights = random.random((5, 3, CLASSES)).astype(np.float32), random.normal(0.5, 0.5, (3, CLASSES))
    found = combine(block_of(scores, np.zeros((5, CLASSES), bool)), weights, power)
    assert found.dtype == np.float32
    for n in range(5):
        for c in range(CLASSES):
            value = sum(scores[n, m, c] ** power * weights[m, c] for m in range(3))
            assert found[n, c] == pytest.approx(abs(value) ** (1 / power) * (1 if value > 0 else -1), abs=1e-6)
    assert found.min() < 0 < 1 < found.max()
    assert len(set(found.ravel().tolist())) == found.size


def test_what_fills_a_video_up_ranks_below_its_own_classes():
    """Also where these have negative scores, and also class 0, which it is filled up with."""
    scores, hot = correlated(4)
    block = block_of(scores, hot, k=2)
    total = combine(block, np.full((scores.shape[1], CLASSES), -1.0))
    kept = np.isfinite(total)
    assert kept[:, :2].all()
    assert kept[block.scores.any(-1)].all()
    assert not kept.all()
    assert (total[kept] <= 0).all()
    classes, values, _ = highest(block, total, 2)
    assert np.isfinite(values).all()
    assert (classes[:, 0] != classes[:, 1]).all()
    assert (classes == 0).any()


@pytest.mark.parametrize("size", [1, 256, 599, 600, 1000])
def test_blocks_are_all_videos_in_order(tmp_path, monkeypatch, size):
    monkeypatch.setattr(blocks, "BLOCK", size)
    scores, hot = correlated(1)
    scores, hot = scores[: size * 5], hot[: size * 5]
    whole = block_of(scores, hot)
    with aligned(store(tmp_path, scores, hot)) as members:
        parts = list(blocks.blocks(members, CLASSES))
    assert [len(part.ids) for part in parts[:-1]] == [size] * (len(parts) - 1)
    assert 1 <= len(parts[-1].ids) <= size
    for index in (0, 2, 3, 4):
        np.testing.assert_array_equal(np.concatenate([part[index] for part in parts]), whole[index])


def test_blocks_of_other_widths_are_joined():
    """What the narrower one lacks is class 0, scored 0 and wrong."""
    scores, hot = correlated(2)
    narrow = block_of(np.repeat(scores[:5, :1], 2, axis=1), hot[:5], k=2)
    wide = block_of(scores[5:9, :2], hot[5:9], k=4)
    assert narrow.classes.shape[1] < wide.classes.shape[1]
    for parts in ([narrow, wide], [wide, narrow]):
        found = joined(parts)
        assert found.ids.tolist() == [id for part in parts for id in part.ids.tolist()]
        assert found.positives == narrow.positives + wide.positives
        start = 0
        for part in parts:
            rows, width = slice(start, start + len(part.ids)), part.classes.shape[1]
            for whole, own in zip(found[2:], part[2:], strict=True):
                np.testing.assert_array_equal(whole[rows, :width], own)
                assert not whole[rows, width:].any()
            start = rows.stop


@pytest.mark.parametrize("k", [1, 3, CLASSES, 20])
def test_the_highest_of_each_video(k):
    scores, hot = correlated(3)
    total = scores.mean(1)
    total[0] = 0.5  # ties
    block = block_of(np.repeat(total[:, None], 2, axis=1), hot)
    classes, values, correct = highest(block, total, k)
    for row in range(VIDEOS):
        expected = sorted(range(CLASSES), key=lambda index: (-total[row, index], index))[:k]
        assert classes[row].tolist() == expected
        assert values[row].tolist() == total[row, expected].tolist()
        assert correct[row].tolist() == hot[row, expected].tolist()
