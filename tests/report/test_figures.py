from pathlib import Path

import numpy as np
import pytest

from yt8m.report.figures import bar_figure, embedding_figure, label_count_figure, spread_figure

RANDOM = np.random.default_rng(0)
COUNTS = np.array([100, 40, 3, 0])
POINTS = RANDOM.normal(size=(20, 2))
NAMES = ["Game", "Vehicle", "Étude", "class 3"] * 5


def counts(path: Path, extra: int = 0) -> None:
    label_count_figure(COUNTS, COUNTS * 2 + extra, path)


def embedding(path: Path, extra: int = 0) -> None:
    embedding_figure(POINTS + extra * POINTS[::-1], NAMES, path)


def bars(path: Path, extra: int = 0) -> None:
    bar_figure({"gated NetVLAD": 0.5, "mean": 0.75 + extra / 10}, "GAP@20", path)


def one_bar(path: Path, extra: int = 0) -> None:
    bar_figure({"gated NetVLAD": 0.5 + extra / 10}, "GAP@20", path)


def spread(path: Path, extra: int = 0) -> None:
    spread_figure({0.0: [0.7], 0.5: [0.7, 0.8 + extra / 10]}, "lambda", "GAP", "Distillation", path)


@pytest.mark.parametrize("draw", [counts, embedding, bars, one_bar, spread])
def test_same_numbers_give_the_same_bytes(tmp_path, draw):
    for name, extra in (("first.png", 0), ("again.png", 0), ("other.png", 1)):
        draw(tmp_path / "new" / name, extra)
    first, again, other = ((tmp_path / "new" / f"{n}.png").read_bytes() for n in ("first", "again", "other"))
    assert first == again
    assert first != other
    assert first.startswith(b"\x89PNG\r\n")
    assert len(list((tmp_path / "new").iterdir())) == 3
