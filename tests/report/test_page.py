import pytest
from jinja2 import UndefinedError

from tests.pipeline import ROOT
from yt8m.report.page import TEMPLATE, Page, Table, said


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5000"), (1 / 3, "0.3333"), (1234567, "1,234,567"), ("a & b", "a & b"), ("", "")]
)
def test_cells(value, text):
    assert said(value) == text
    assert Table.of(["x"], [[value]]).rows == [[text]]


def test_a_page_that_lacks_a_fact_is_not_written(tmp_path):
    """No empty place is shown for what was forgotten."""
    page = Page(tmp_path / "figures")
    page.say(members=2)
    with pytest.raises(UndefinedError):
        page.write(tmp_path / "index.html")
    assert not list(tmp_path.iterdir())


def test_the_template_is_installed_and_decides_the_stage():
    name = TEMPLATE.relative_to(ROOT / "src" / "yt8m").as_posix()
    assert f'"{name}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"- src/yt8m/{name}\n" in (ROOT / "dvc.yaml").read_text(encoding="utf-8")
