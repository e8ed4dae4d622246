from yt8m.report.tables import markdown

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
