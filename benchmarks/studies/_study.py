"""Quality compared over seeds: variants are changed parameters, and the stages themselves train them.

The stages run in a folder laid out as a project, which has the project's split; nothing of the project is changed.
Figures go into a table as they come, and what stands there is not trained again, so that a study that was cut off
goes on.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from stages._places import DATA, METRICS, SPLIT
from yt8m.core.backend import choose
from yt8m.core.files import read_csv, read_json, remove, write_csv
from yt8m.core.startup import starting
from yt8m.records.classes import read_label_counts
from yt8m.records.dataset import Dataset
from yt8m.report.tables import markdown
from yt8m.scoring import metrics
from yt8m.settings.loading import load, parse
from yt8m.settings.params import Params

if TYPE_CHECKING:
    import keras

RARE = 20  # a class with fewer training videos is rare
BATCH = 512
TITLES = {
    "holdout_gap": "holdout GAP",
    "test_gap": "test GAP",
    "test_map": "test mAP",
    "rare_map": f"test mAP, classes < {RARE} videos",
}
Variant = TypeVar("Variant")


class Trained(NamedTuple):
    """A model, its best GAP on the holdout, and the test videos as it takes them."""

    model: "keras.Model"
    gap: float
    test: Dataset


Figures = Callable[[Trained], dict[str, float]]


def begin(
    name: str, variants: Mapping[str, Variant], argv: Sequence[str] | None
) -> tuple[argparse.Namespace, "Table", dict[str, Variant]]:
    """The arguments of a study, its table, and which of its variants are asked for."""
    parser = parser_of(name)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--variants", nargs="+", default=["*"], metavar="PATTERN", help=f"of {', '.join(variants)}")
    table = Path(f"docs/results/study_{name}.csv")
    parser.add_argument("--table", type=Path, default=table, help=f"rows, old and new; default: {table}")
    args = parser.parse_args(argv)
    asked = {name: each for name, each in variants.items() if any(fnmatchcase(name, p) for p in args.variants)}
    return args, Table(args.table), asked


def parser_of(name: str) -> argparse.ArgumentParser:
    """The arguments that all studies have."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.studies.{name}")
    parser.add_argument("--project", type=Path, default=Path(), help="where `dvc repro` has run; default: here")
    return parser


@contextmanager
def at(project: Path) -> Iterator[Params]:
    """Work in a project's folder, on its backend; its parameters, which hold in any other folder too."""
    with chdir(project):
        params = load()
        choose(params.train.backend)
        with starting():
            from yt8m.training.devices import make_deterministic

            make_deterministic(params.train.xla)
        yield changed(params, {"data.source": str(Path(params.data.source).resolve())})


def changed(params: Params, changes: Mapping[str, Any]) -> Params:
    """Other parameters; changes are named as for `dvc exp run -S`.

    Raises:
        ParamsError: where a name or a value is wrong.
    """
    content = params.model_dump(mode="json", by_alias=True)
    for name, value in changes.items():
        *path, last = name.split(".")
        section = content
        for key in path:
            section = section[key]
        section[last] = value
    return parse(content, "changed parameters")


@contextmanager
def workplace(study: str) -> Iterator[None]:
    """Work in a folder of the study's own, laid out as a project, with the present one's split; it is removed."""
    folder, split = DATA / "study" / study, SPLIT.resolve()
    remove(folder)  # what a study that was killed has left
    (folder / DATA).mkdir(parents=True)
    (folder / SPLIT).symlink_to(split)
    try:
        with chdir(folder):
            yield
    finally:
        remove(folder)


def run_stage(params: Params, name: str, *words: str) -> None:
    """Do what `python -m stages NAME WORD …` does."""
    with starting():
        stage = import_module(f"stages.{name}")
    stage.main(params, *words)


def alone(model: str, seed: int) -> dict[str, Any]:
    """Changes that leave one set, `study`, of this seed and not fine-tuned, of which Table 2 shows a model."""
    sets = {"study": {"seed": seed, "finetune": False}}
    return {"sets": sets, "evaluate.plain": f"{model}-study", "evaluate.related": []}


def train_alone(params: Params, model: str) -> Trained:
    """A model of the set `study` as the stage train makes it."""
    run_stage(params, "train", model, "study")
    return trained(params, f"train/{model}-study")


def trained(params: Params, name: str) -> Trained:
    """What a stage has trained: a model below `data/`."""
    from yt8m.models.storage import load

    model, description = load(DATA / name)
    gap: float = read_json(METRICS / name / "metrics.json")["holdout_gap"]
    return Trained(model, gap, Dataset(SPLIT / f"{description.level}s" / "test.tsv", params.data.source))


class Table:
    """Rows in a CSV file: variant, seed, and figures by their names.

    Args:
        path: of the file; rows that it has are kept as they are.
    """

    def __init__(self, path: Path):
        self.path, self.rows = path.resolve(), read_csv(path) if path.exists() else []

    def lacks(self, variant: str, seed: int) -> bool:
        """Whether there is no row of a variant and seed."""
        return not any((row["variant"], row["seed"]) == (variant, str(seed)) for row in self.rows)

    def add(self, variant: str, seed: int, train: Callable[[], Trained], figures: Figures) -> None:
        """Train and measure a variant, unless its row stands here already.

        Args:
            figures: those beside GAP and seconds.
        """
        if not self.lacks(variant, seed):
            return
        from yt8m.training.scores import dataset_gap

        start = perf_counter()
        found = train()
        seconds = perf_counter() - start
        gaps = {"holdout_gap": found.gap, "test_gap": dataset_gap(found.model, found.test, BATCH)}
        values = {"variant": variant, "seed": seed, **gaps, **figures(found), "seconds": seconds}
        self.rows.append({key: str(value) for key, value in values.items()})
        write_csv(self.path, list(values), [list(row.values()) for row in self.rows])
        print(" ".join(f"{value:.4f}" if isinstance(value, float) else str(value) for value in values.values()))

    def values(self, variant: str, key: str) -> list[float]:
        """A figure of all of a variant's rows."""
        return [float(row[key]) for row in self.rows if row["variant"] == variant]

    def summary(self) -> str:
        """A Markdown table: the number of seeds, mean and standard deviation; of bytes and seconds the mean."""
        keys = list(self.rows[0])[2:] if self.rows else []
        lines = []
        for variant, seeds in Counter(row["variant"] for row in self.rows).items():
            values = [(key, self.values(variant, key)) for key in keys]
            cells = (f"{mean(x):.0f}" if key in ("bytes", "seconds") else spread(x) for key, x in values)
            lines.append((variant, str(seeds), *cells))
        return markdown(("variant", "seeds", *(TITLES.get(key, key) for key in keys)), lines)


def rare_map(found: Trained) -> dict[str, float]:
    """The mean over the test's rare classes of the average precision."""
    counts, precisions = average_precisions(found)
    rare = precisions[counts < RARE]
    return {"rare_map": float(rare.mean()) if len(rare) else 0.0}


def by_frequency(found: Trained) -> dict[str, float]:
    """mAP on test: of all classes, and of the third that has the fewest training videos, the middle and the last."""
    counts, precisions = average_precisions(found)
    thirds = np.array_split(precisions[np.argsort(counts, kind="stable")], 3)
    parts = zip(("rarest_third", "middle_third", "most_frequent_third"), thirds, strict=True)
    return {"test_map": float(precisions.mean())} | {name: float(part.mean()) for name, part in parts}


def average_precisions(found: Trained) -> tuple[np.ndarray, np.ndarray]:
    """Training videos and average precision on test of each class that occurs in both."""
    from yt8m.training.scores import predict

    parts = [(batch.labels, scores) for batch, scores in predict(found.model, found.test, BATCH)]
    labels, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    counts, shown = read_label_counts(SPLIT / "label_counts" / "train.csv"), labels.sum(0)
    classes = np.flatnonzero((counts > 0) & (shown > 0))
    found_precisions = [metrics.average_precision(scores[:, c], labels[:, c] > 0, int(shown[c])) for c in classes]
    return counts[classes], np.array(found_precisions)


def spread(values: Sequence[float]) -> str:
    """Mean, and ± the standard deviation of more than one."""
    return f"{mean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")
