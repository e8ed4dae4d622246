from yt8m.report.tables import markdown, table4

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


def test_table4_has_the_papers_schemes_first_and_shows_negative_weights():
    def row(set, scheme, of, model, weight, lowest):
        return {"set": set, "scheme": scheme, "of": of, "model": model, "weight": str(weight), "lowest": str(lowest)}

    found = table4(
        [
            row("", "gap", "beyond", "x-a", 0.25, 0.25),
            row("", "gap", "beyond", "x-b", 0.75, 0.75),
            row("", "per_class", "paper", "x-a", 0.4, -0.0625),
            row("", "per_class", "paper", "x-b", 0.6, 0.5),
            row("b", "gap", "beyond", "x-b", 1.0, 1.0),
            row("b", "per_class", "paper", "x-b", 0.9, 0.8),
        ]
    )
    _, every, alone = found.split("models\n\n")
    assert "All 2 " in found
    assert "Set b, 1 " in found
    assert [cell.strip() for cell in every.splitlines()[0].strip("|").split("|")] == [
        "model",
        "per_class (paper)",
        "gap (beyond)",
    ]
    assert "| x-a   | 0.400 (-0.062)    | 0.250        |" in every
    assert "| x-b   | 0.600             | 0.750        |" in every
    assert "| x-b   | 0.900             | 1.000        |" in alone
