import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from yt8m.report.template import rendered


@pytest.fixture
def template(tmp_path):
    """It shows a name."""
    path = tmp_path / "page.html"
    path.write_text("{% if name %}\n  <b>{{ name }}</b>\n{% endif %}\n")
    return path


def test_words_are_escaped_and_markup_is_not(template):
    assert rendered(template, {"name": "a < b"}) == "  <b>a &lt; b</b>\n"
    assert rendered(template, {"name": Markup("<i>a</i>")}) == "  <b><i>a</i></b>\n"


def test_what_is_not_there_is_an_error(template):
    with pytest.raises(UndefinedError, match="'name' is undefined"):
        rendered(template, {"nam": "a"})
