"""Text and page say what an explanation holds, and the page needs nothing else."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from yt8m.explaining.explanation import Class, Driven, Explanation, Neighbour, Scored, Segment
from yt8m.explaining.page import html
from yt8m.explaining.text import show

NAMES = ("Car", "R&B <live>", "$5 menu", "Tür", "Music")
TOP = [Scored(index, name, 0.9 - index / 8) for index, name in enumerate(NAMES)]
ALONE = np.random.default_rng(0).random((5, 2)).tolist()
CHANGES = np.random.default_rng(0).normal(size=(5, 7)).tolist()
EXPLAINED = Explanation(
    id="v<1>",
    place="test",
    frames=7,
    labels=[Class(1, NAMES[1])],
    top={"ensemble": TOP, "student": TOP[::-1]},
    by="student",
    driven=[
        Driven(**vars(each), frames=[3, 0], changes=changes, segments=alone)
        for each, changes, alone in zip(TOP, CHANGES, ALONE, strict=True)
    ],
    segments=[Segment(0, 5, TOP), Segment(6, 6, TOP[::-1])],
    nearest=[Neighbour("t1", 0.25, [Class(0, "Car"), Class(4, "Music")]), Neighbour("t2", 0.5, [])],
)
ONE_FRAME = replace(EXPLAINED, frames=1, driven=[], segments=[])


class Page(HTMLParser):
    """A page's text, and the figures in it; that nothing of it lies elsewhere."""

    def __init__(self, content: str):
        super().__init__()
        self.text, self.figures = "", 0
        self.feed(content)
        assert not re.search(r"@import|url\((?!#)", content)
        assert 'name="viewport"' in content

    def handle_starttag(self, tag, attrs):
        assert tag not in ("link", "script", "img", "iframe")
        self.figures += tag == "svg"
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset"):
                assert value.startswith("#")

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("explained", [EXPLAINED, ONE_FRAME], ids=["frames", "one frame"])
def test_text_and_page_say_all_of_it(explained, capsys):
    show(explained)
    text, page = capsys.readouterr().out, Page(html(explained))
    words = [explained.id, "found in test", "labels: R&B <live>", "t1", "0.250", "Car, Music", "t2", "none"]
    words += [f"{each.name}{'*' * (each.index == 1)} {each.score:.3f}" for each in TOP]
    words += [f"{frame} ({each.changes[frame]:.4f})" for each in explained.driven for frame in each.frames]
    words += ["7 frames", "0-5", "Music 0.400"] if explained.driven else ["1 frame, ", "there is nothing to leave out"]
    for word in words:
        assert word in text
        assert word in page.text
    assert page.figures == (2 if explained.driven else 0)
    assert all(name in page.text for name in NAMES)


def test_a_page_has_the_same_bytes_each_time():
    assert html(EXPLAINED) == html(EXPLAINED)


def test_figures_take_the_colours_of_the_page():
    """Light or dark: the one colour of their own is the bars'."""
    colours = set(re.findall(r"#[0-9a-f]{6}", html(EXPLAINED)[html(EXPLAINED).index("<svg") :]))
    assert colours == {"#4a86e8"}
