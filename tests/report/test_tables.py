import pytest

from yt8m.report.tables import markdown, table2
from yt8m.settings.params import Evaluate

HEADER = ["model", "GAP@20"]
ROWS = [["gated NetVLAD", 0.5], ["mean, of 14", 1 / 3], ["none", 7]]


def test_markdown():
    assert markdown(HEADER, ROWS) == (
        "| model         | GAP@20 |\n"
        "| ------------- | ------ |\n"
        "| gated NetVLAD | 0.5000 |\n"
        "| mean, of 14   | 0.3333 |\n"
        "| none          | 7      |\n"
    )


def test_markdown_without_rows():
    assert markdown(HEADER, []) == "| model | GAP@20 |\n| ----- | ------ |\n"


def test_markdown_keeps_a_cell_a_cell():
    """A class name may hold the character that parts columns."""
    *_, row = markdown(["name"], [["a|b"]]).splitlines()
    assert row.replace(r"\|", "").count("|") == 2


def lines(related: str | None, families: int = 7, models: int = 14) -> dict[str, str]:
    """The label of each system in Table 2, in its order."""
    rows = table2(Evaluate(plain="gru-a", related=related), families, models)
    assert len({row.system for row in rows}) == len({row.label for row in rows}) == len(rows)
    return {row.system: row.label for row in rows}


def test_table2_is_in_the_papers_order():
    """Its own systems first; the GAP that the paper gives rises from row to row, but for the student."""
    found = lines("lstm-b")
    assert list(found)[:7] == [
        "gru-a",
        "plain_and_moe",
        "lstm-b",
        "mean_of_families",
        "mean_of_all",
        "per_model",
        "per_class",
    ]
    assert list(found)[-1] == "student"
    papers = [row.paper.split()[0] for row in table2(Evaluate(plain="gru-a", related="lstm-b"), 7, 14)]
    known = [float(number) for number in papers if number != "-"]
    assert known[:-1] == sorted(known[:-1])
    assert known == [85.75, 85.98, 87.88, 88.27, 88.62, 88.73, 87.32]


def test_table2_without_label_relations_leaves_their_row_out():
    found, without = lines("lstm-b"), lines(None)
    assert "with label relations (lstm-b)" in found.values()
    assert without == {system: label for system, label in found.items() if system != "lstm-b"}


@pytest.mark.parametrize(("families", "models"), [(7, 14), (1, 3)])
def test_table2_says_how_many_models_there_are(families, models):
    found = lines(None, families, models)
    assert found["gru-a"] == "one model (gru-a)"
    assert found["mean_of_families"] == f"mean of {families} models, one a family"
    assert found["mean_of_all"] == f"mean of all {models} models"
