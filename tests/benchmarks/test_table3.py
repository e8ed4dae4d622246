"""Table 3 at real scale: what the regimes ask for, against a loop over the videos, and the table that is printed."""

import gzip
import re
from collections import Counter

import numpy as np
import pytest

from benchmarks import table3
from stages._places import SPLIT
from yt8m.augmentation.regimes import kept, neighbours
from yt8m.records.dataset import Dataset
from yt8m.settings.loading import load


def random_sets(videos, seed=0):
    """Label sets in which low classes are frequent, some of them empty."""
    random = np.random.default_rng(seed)
    return [np.unique((random.random(size) ** 3 * 9).astype(int)) for size in random.integers(0, 4, videos)]


def test_what_is_asked_for_equals_a_loop_over_the_videos():
    sets, threshold, most = random_sets(20_000), 2000, 8
    counts = np.bincount(np.concatenate(sets), minlength=9)
    assert counts.max() > 2 * threshold > 2 * counts.min()
    stay = pairs = 0
    for row, labels in enumerate(sets):
        rarest = min(labels, key=lambda label: counts[label], default=None)
        if rarest is None:
            stay += 1
        elif counts[rarest] > threshold:
            stay += kept(f"v{row}", int(counts[rarest]), threshold)
        else:
            stay += 1
            pairs += min(neighbours(int(counts[rarest]), threshold, most), counts[rarest] - 1)
    found = table3.asked(sets, counts, threshold, most)
    assert found.pairs == pairs
    assert found.stay == pytest.approx(stay, rel=0.02)  # one in so many by chance


def test_a_pair_that_each_of_the_two_asks_for_is_asked_for_twice(project, monkeypatch):
    """Against a loop over all pairs of a class's videos."""
    monkeypatch.chdir(project)
    videos = Dataset(SPLIT / "videos" / "train.tsv", load().data.source)
    found = list(videos.videos())
    counts = Counter(label for video in found for label in video.labels.tolist())
    asked, both = 0, set()
    threshold, most = max(counts.values()), 3
    for row, video in enumerate(found):
        rarest = min(video.labels.tolist(), key=lambda label: (counts[label], label), default=None)
        if rarest is None:
            continue
        near = [
            (float(np.sum((video.features["rgb"] - other.features["rgb"]) ** 2)), index)
            for index, other in enumerate(found)
            if index != row and rarest in other.labels
        ]
        wanted = neighbours(counts[rarest], threshold, most)
        for _, index in sorted(near)[:wanted]:
            asked += 1
            both.add(frozenset((row, index)))
    assert table3.asked_twice(videos, threshold, most) == pytest.approx(1 - len(both) / asked)


def test_the_table_stands_beside_the_papers(project, tmp_path, capsys):
    path = tmp_path / "sets.txt.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(" ".join(map(str, labels)) + "\n" for labels in random_sets(500))
    table3.main([str(path), "--project", str(project)])
    rows = re.findall(r"^\| (\w[^|]*?) +\| +([\d.]*) +\| ([\d,]+)", capsys.readouterr().out, re.MULTILINE)
    assert rows[0][0] == "before pairs are told apart"
    assert rows[-1] == ("the paper's Table 3", "", "23,590,464")
    values = [int(value.replace(",", "")) for *_, value in rows]
    assert all(value <= values[0] for value in values[1:-1])
    assert all(0 <= float(share) < 1 for _, share, _ in rows[1:-1])
