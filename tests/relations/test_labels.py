"""What the videos' labels say of classes that go together, against loops."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from yt8m.relations import labels
from yt8m.relations.labels import HEADER, Labels, rank_correlation, strongest, together
from yt8m.relations.omega import normalized, relation

LABELS = [np.array(row, np.int32) for row in ([0, 1], [0, 1, 2], [2], [], [0], [3, 1])]
NAMES = ["Game", "Video game", "Car", "Piano", "class 4"]


@pytest.fixture
def weights():
    return np.random.default_rng(0).normal(size=(3, 5))


def test_learnt_relations_are_omega_scaled_to_one_on_its_diagonal(weights):
    omega = relation(weights)
    dense = omega.vectors @ np.diag(omega.values) @ omega.vectors.T
    found = normalized(omega)
    for i in range(5):
        for j in range(5):
            assert found[i, j] == pytest.approx(dense[i, j] / np.sqrt(dense[i, i] * dense[j, j]), abs=1e-5)


def test_a_class_without_weights_is_related_to_none(weights):
    weights[:, 2] = 0
    found = normalized(relation(weights))
    np.testing.assert_allclose(found[2], 0, atol=1e-6)
    assert np.isfinite(found).all()


def test_labels_together_against_loops():
    found = together(LABELS, 5)
    for i in range(5):
        for j in range(5):
            both = sum(i in row and j in row for row in LABELS)
            each = sum(i in row for row in LABELS) * sum(j in row for row in LABELS)
            assert found[i, j] == pytest.approx(both / np.sqrt(each) if each else 0)


@pytest.mark.parametrize("videos", [[], [np.array([], np.int32)]])
def test_no_labels_are_together(videos):
    assert not together(videos, 3).any()
    told = Labels(videos, NAMES[:3])
    assert told.common.tolist() == [0, 1, 2]
    assert told.rank_correlation(np.random.default_rng(0).normal(size=(3, 3))) == 0


def test_the_strongest_are_other_classes_of_equals_the_lowest():
    relations = np.array([[1.0, 0.2, 0.9, 0.2], [0.2, 1.0, 0.3, 0.5]])
    assert strongest(relations, 0, 3).tolist() == [2, 1, 3]
    assert strongest(relations, 1, 2).tolist() == [3, 2]


def test_rank_correlation_is_over_pairs_of_the_classes_given():
    one, other = (np.random.default_rng(seed).normal(size=(6, 6)) for seed in (1, 2))
    classes = np.array([5, 0, 3, 2])
    pairs = [(classes[i], classes[j]) for i in range(4) for j in range(i + 1, 4)]
    expected = spearmanr([one[pair] for pair in pairs], [other[pair] for pair in pairs]).statistic
    assert rank_correlation(one, other, classes) == pytest.approx(expected)
    assert rank_correlation(one, one, classes) == pytest.approx(1)
    assert rank_correlation(one, np.zeros((6, 6)), classes) == 0
    assert rank_correlation(one, other, classes[:1]) == 0


def test_common_classes_come_first_of_equals_the_lowest():
    told = Labels([*LABELS, np.array([2], np.int32)], NAMES)  # 0, 1 and 2 three times each, 3 once
    assert told.common.tolist() == [0, 1, 2, 3, 4]
    assert Labels([np.array([row], np.int32) for row in (4, 2, 4, 2, 0, 4)], NAMES).common.tolist() == [4, 2, 0, 1, 3]
    many = np.random.default_rng(0).integers(100, size=200)
    counts = np.bincount(many, minlength=100)
    expected = sorted(range(100), key=lambda index: (-counts[index], index))
    assert Labels([np.array([row]) for row in many], [str(index) for index in range(100)]).common.tolist() == expected


def test_the_table_of_a_models_relations(weights):
    related = normalized(relation(weights))
    told = Labels(LABELS, NAMES)
    np.testing.assert_array_equal(told.together, together(LABELS, 5))
    rows: list[dict] = [dict(zip(HEADER, row, strict=True)) for row in told.table(related)]
    assert len(rows) == 5 * 4
    assert [row["name"] for row in rows[:8]] == ["Game"] * 4 + ["Video game"] * 4  # by falling number of videos
    for row in rows:
        pair = row["class"], row["related"]
        assert pair[0] != pair[1]
        assert (row["name"], row["related_name"]) == (NAMES[pair[0]], NAMES[pair[1]])
        assert row["relation"] == pytest.approx(related[pair])
        assert row["labels_together"] == pytest.approx(together(LABELS, 5)[pair])
    for start in range(0, len(rows), 4):
        of_class = rows[start : start + 4]
        assert [row["rank"] for row in of_class] == [1, 2, 3, 4]
        assert {row["related"] for row in of_class} == set(range(5)) - {of_class[0]["class"]}
        values = [row["relation"] for row in of_class]
        assert values == sorted(values, reverse=True)


def test_the_table_holds_the_strongest_alone(weights, monkeypatch):
    related = normalized(relation(weights))
    whole = list(Labels(LABELS, NAMES).table(related))
    monkeypatch.setattr(labels, "STRONGEST", 2)
    assert list(Labels(LABELS, NAMES).table(related)) == [row for row in whole if row[HEADER.index("rank")] in (1, 2)]


def test_the_most_frequent_classes_are_compared(weights, monkeypatch):
    related = normalized(relation(weights))
    told = Labels(LABELS, NAMES)
    assert told.rank_correlation(related) == pytest.approx(rank_correlation(related, together(LABELS, 5), np.arange(5)))
    assert told.rank_correlation(told.together) == pytest.approx(1)
    monkeypatch.setattr(labels, "COMPARED", 4)
    few = rank_correlation(related, together(LABELS, 5), np.arange(4))
    assert told.rank_correlation(related) == pytest.approx(few)
    assert few != pytest.approx(rank_correlation(related, together(LABELS, 5), np.arange(5)))


def test_the_strongest_relations_of_all_by_name(weights):
    told, related = Labels(LABELS, NAMES), normalized(relation(weights))
    pairs = sorted(
        ((float(related[i, j]), frozenset((NAMES[i], NAMES[j]))) for i in range(5) for j in range(i)), reverse=True
    )
    found = list(told.strongest(related, 3))
    assert [(value, frozenset((one, other))) for one, other, value, _ in found] == pairs[:3]
    for one, other, _, carried in found:
        assert carried == pytest.approx(told.together[NAMES.index(one), NAMES.index(other)])
    assert len(list(told.strongest(related, 99))) == len(pairs)
