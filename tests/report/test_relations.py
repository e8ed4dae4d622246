"""What is written of label relations, against loops."""

import csv

import numpy as np
import pytest
from scipy.stats import spearmanr
from yt8m.report.relations import learnt, rank_correlation, strongest, together, write_relations

from yt8m.relations.regularizer import relation

LABELS = [np.array(row, np.int32) for row in ([0, 1], [0, 1, 2], [2], [], [0], [3, 1])]
NAMES = ["Game", "Video game", "Car", "Piano", "class 4"]


@pytest.fixture
def weights():
    return np.random.default_rng(0).normal(size=(3, 5))


def test_learnt_relations_are_omega_scaled_to_one_on_its_diagonal(weights):
    omega = relation(weights)
    dense = omega.vectors @ np.diag(omega.values) @ omega.vectors.T
    found = learnt(omega)
    for i in range(5):
        for j in range(5):
            assert found[i, j] == pytest.approx(dense[i, j] / np.sqrt(dense[i, i] * dense[j, j]), abs=1e-5)


def test_a_class_without_weights_is_related_to_none(weights):
    weights[:, 2] = 0
    found = learnt(relation(weights))
    np.testing.assert_allclose(found[2], 0, atol=1e-6)
    assert np.isfinite(found).all()


def test_labels_together_against_loops():
    found = together(LABELS, 5)
    for i in range(5):
        for j in range(5):
            both = sum(i in row and j in row for row in LABELS)
            each = sum(i in row for row in LABELS) * sum(j in row for row in LABELS)
            assert found[i, j] == pytest.approx(both / np.sqrt(each) if each else 0)


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


def test_table_figure_and_text(weights, tmp_path, capsys):
    related = learnt(relation(weights))
    agreement = write_relations(related, LABELS, NAMES, tmp_path / "relations")
    assert agreement == pytest.approx(rank_correlation(related, together(LABELS, 5), np.arange(5)))
    rows = list(csv.DictReader((tmp_path / "relations" / "relations.csv").open(encoding="utf-8")))
    assert len(rows) == 5 * 4
    assert [row["name"] for row in rows[:8]] == ["Game"] * 4 + ["Video game"] * 4  # by falling number of videos
    for row in rows:
        pair = int(row["class"]), int(row["related"])
        assert pair[0] != pair[1]
        assert row["related_name"] == NAMES[pair[1]]
        assert float(row["relation"]) == pytest.approx(related[pair])
        assert float(row["labels_together"]) == pytest.approx(together(LABELS, 5)[pair])
    values = [float(row["relation"]) for row in rows[:4]]
    assert values == sorted(values, reverse=True)
    assert (tmp_path / "relations" / "relations.png").read_bytes().startswith(b"\x89PNG")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == NAMES
    assert lines[0].split(": ")[1].startswith(f"{rows[0]['related_name']} {float(rows[0]['relation']):.2f}, ")
