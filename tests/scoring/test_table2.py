"""Rows of Table 2, and what each of them must beat."""

from yt8m.scoring.table2 import System, sets_of, table2
from yt8m.settings.params import Evaluate

FAMILIES = ("netvlad", "gru")
MEMBERS = {f"{family}-{set}": family for set in ("a", "b") for family in FAMILIES}


def rows(related=("gru-a",), members=MEMBERS) -> list[System]:
    return table2(Evaluate(plain="gru-a", related=list(related), paper=True), members, best="netvlad-b")


def test_rows_are_in_the_papers_order():
    """The GAP that the paper gives rises from row to row, but for the student."""
    found = rows()
    assert [row.system for row in found] == [
        "gru-a-trained",
        "plain_and_original",
        "plain_and_augmented",
        "gru-a-without",
        "gru-a",
        "mean_of_set_a",
        "mean_of_set_b",
        "mean_of_all",
        "per_model",
        "per_class",
        "shrunk_per_class",
        "exact_per_model",
        "exact_per_class",
        "selection",
        "gap",
        "untaught",
        "student",
    ]
    papers = [float(row.paper.split()[0]) for row in found if row.paper != "-"]
    assert papers[:-1] == sorted(papers[:-1])
    assert papers == [85.75, 85.98, 87.88, 88.27, 88.27, 88.62, 88.73, 87.32]


def test_each_row_but_the_first_must_beat_something():
    found = {row.system: row.control for row in rows()}
    assert found == {
        "gru-a-trained": None,
        "plain_and_original": "gru-a-trained",
        "plain_and_augmented": "plain_and_original",
        "gru-a-without": "gru-a-trained",
        "gru-a": "gru-a-without",
        "mean_of_set_a": "gru-a-trained",
        "mean_of_set_b": "gru-a-trained",
        "mean_of_all": "mean_of_set_b",
        "per_model": "mean_of_all",
        "per_class": "mean_of_all",
        "shrunk_per_class": "mean_of_all",
        "exact_per_model": "mean_of_all",
        "exact_per_class": "mean_of_all",
        "selection": "mean_of_all",
        "gap": "mean_of_all",
        "untaught": "netvlad-b",
        "student": "untaught",
    }


def test_each_fine_tuned_model_that_is_shown_stands_beside_the_same_without():
    """Which stands beside what it was before, where Table 2 starts from that."""
    found = [(row.label, row.control) for row in rows(("gru-a", "netvlad-b")) if "relations" in row.label]
    assert found == [
        ("gru-a trained on, without label relations", "gru-a-trained"),
        ("gru-a trained on, with label relations", "gru-a-without"),
        ("netvlad-b trained on, without label relations", None),
        ("netvlad-b trained on, with label relations", "netvlad-b-without"),
    ]
    assert not [row for row in rows(()) if "relations" in row.label]


def test_rows_say_how_many_models_there_are():
    labels = [row.label for row in rows(members=MEMBERS | {"lstm-b": "lstm"})]
    assert "mean of set a, 2 models" in labels
    assert "mean of set b, 3 models" in labels
    assert "mean of all 5 models" in labels


def test_sets_are_in_the_order_of_their_members():
    assert sets_of({"x-b": "x", "y_1-a": "y", "z-b": "z"}) == {"b": ["x-b", "z-b"], "a": ["y_1-a"]}
