from pathlib import Path

import numpy as np
import pytest

from yt8m.report.figures import bar_figure, embedding_figure, label_count_figure, relations_figure, spread_figure

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


def relations(path: Path, extra: int = 0) -> None:
    """Of three of four classes; what the fourth has is not shown."""
    carried = np.eye(4) + 0.5 * np.roll(np.eye(4), 1, axis=0)
    relations_figure({"labels": carried, "learnt": carried * (1 + extra)}, np.array([2, 0, 1]), NAMES, path)


def relations_of_none(path: Path, extra: int = 0) -> None:
    relations_figure({"labels": np.eye(2)}, np.arange(2), NAMES[extra : extra + 2], path)


def relations_of_many(path: Path, extra: int = 0) -> None:
    """More than fit into a row."""
    relations_figure({f"model {index}": np.eye(4)[::-1] for index in range(5 + extra)}, np.arange(4), NAMES, path)


@pytest.mark.parametrize(
    "draw", [counts, embedding, bars, one_bar, spread, relations, relations_of_none, relations_of_many]
)
def test_same_numbers_give_the_same_bytes(tmp_path, draw):
    for name, extra in (("first.png", 0), ("again.png", 0), ("other.png", 1)):
        draw(tmp_path / "new" / name, extra)
    first, again, other = ((tmp_path / "new" / f"{n}.png").read_bytes() for n in ("first", "again", "other"))
    assert first == again
    assert first != other
    assert first.startswith(b"\x89PNG\r\n")
    assert len(list((tmp_path / "new").iterdir())) == 3


def test_relations_of_a_class_to_itself_and_to_classes_not_shown_are_not_drawn(tmp_path):
    learnt = np.random.default_rng(0).uniform(-1, 1, (4, 4))
    hidden, shown = learnt.copy(), learnt.copy()
    hidden[3], hidden[:, 3], hidden[0, 0] = 5, 5, 5
    shown[0, 1] += 0.5
    for name, related in (("one", learnt), ("hidden", hidden), ("shown", shown)):
        relations_figure({"learnt": related}, np.array([0, 1, 2]), NAMES, tmp_path / f"{name}.png")
    one, same, other = ((tmp_path / f"{name}.png").read_bytes() for name in ("one", "hidden", "shown"))
    assert one == same
    assert one != other
