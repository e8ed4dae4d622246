"""All figures: the same bytes for the same numbers, on pages and as files."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from yt8m.report import bars, lines, maps
from yt8m.report.drawing import INK, save_png, svg

COUNTS = np.array([100, 40, 3, 0])
POINTS = np.random.default_rng(0).normal(size=(20, 2))
NAMES = ["Game", "Vehicle $1 & <b>", "Étude", "class 3"] * 5
RELATED = np.random.default_rng(0).uniform(-1, 1, (4, 4))
CURVE = lines.Curve([(10, 2.0), (20, 1.0)], [(10, 0.5), (20, 0.75)], [10])
LINE = [(0.0, 1.0), (0.5, 0.75)]

DRAWN = {
    "bars": lambda extra: bars.bar_figure({"gated NetVLAD": 0.5, "mean": 0.75 + extra}, "GAP@20"),
    "one bar": lambda extra: bars.bar_figure({"gated NetVLAD": 0.5 + extra}, "GAP@20"),
    "intervals": lambda extra: bars.interval_figure({"a": (0.5, 0.01), "b & <c>": (0.6 + extra, 0.0)}, "GAP"),
    "weights": lambda extra: bars.weight_figure({s: {"x-a": 0.5, "x-b": extra - 0.1} for s in ("p", "q", "r")}),
    "groups": lambda extra: bars.grouped_figure({"a": [0.5, np.nan], "b": [0.2, 0.3 + extra]}, ["1", "2"], "x", "y"),
    "curves": lambda extra: lines.curve_figure({"mlp": {"a": CURVE, "b": lines.Curve([], [(10, extra)], [])}}),
    "precision": lambda extra: lines.precision_figure({"a": LINE, "b": [(0.0, extra)]}),
    "calibration": lambda extra: lines.calibration_figure({"a": LINE}, {"b": [(0.0, extra), (1.1, 1.0)]}, "others"),
    "no others": lambda extra: lines.calibration_figure({"a": [*LINE, (1.0, extra)]}, {}, "others"),
    "counts": lambda extra: lines.count_figure(COUNTS, COUNTS * 2 + round(10 * extra)),
    "spread": lambda extra: lines.spread_figure({0.0: [0.7], 0.5: [0.7, 0.8 + extra]}, "lambda", "GAP", "Distilled"),
    "videos": lambda extra: maps.embedding_figure(POINTS + extra * POINTS[::-1], NAMES, np.arange(20) % 3 == 0),
    "relations": lambda extra: maps.relation_figure(RELATED + extra, NAMES[:4]),
}


@pytest.mark.parametrize("name", DRAWN)
def test_same_numbers_give_the_same_bytes(tmp_path, name):
    texts, images = [], []
    for extra in (0.0, 0.0, 0.1):
        drawn = DRAWN[name](extra)
        save_png(drawn, tmp_path / "new" / "figure.png")
        images.append((tmp_path / "new" / "figure.png").read_bytes())
        texts.append(svg(drawn, name, "a figure"))
    assert images[0].startswith(b"\x89PNG\r\n")
    for first, again, other in (texts, images):
        assert first == again
        assert first != other
    assert len(list((tmp_path / "new").iterdir())) == 1


@pytest.mark.parametrize("name", DRAWN)
def test_a_page_has_figures_that_are_whole_and_take_its_colour(name):
    text = svg(DRAWN[name](0.0), name, 'said "so" & so')
    root = ElementTree.fromstring(text.replace("xlink:href", "href"))
    assert root.get("aria-label") == 'said "so" & so'
    assert INK not in text
    assert "currentColor" in text
    assert "http" not in text
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', text))
    assert used <= {element.get("id") for element in root.iter()}


def test_two_figures_of_a_page_share_no_id():
    texts = [svg(DRAWN["precision"](0.0), name, "") for name in ("one", "other")]
    one, other = (set(re.findall(r' id="([^"]+)"', text)) for text in texts)
    assert one
    assert not one & other


def test_names_are_words():
    """Dollars are no formula, and what is long is cut."""
    assert "Vehicle $1 &amp; &lt;b&gt;" in svg(DRAWN["videos"](0.0), "videos", "")
    assert maps.shortened("x" * 50, 10) == "x" * 9 + "…"
    assert maps.shortened("x" * 10, 10) == "x" * 10


def test_relations_of_a_class_to_itself_are_not_drawn():
    other = RELATED.copy()
    np.fill_diagonal(other, 5)
    assert svg(maps.relation_figure(RELATED, NAMES[:4]), "x", "") == svg(
        maps.relation_figure(other, NAMES[:4]), "x", ""
    )


def test_no_relation_and_no_video_can_be_drawn():
    maps.relation_figure(np.zeros((2, 2)), NAMES[:2])
    maps.embedding_figure(np.zeros((0, 2)), [], np.zeros(0, bool))
