"""Ensembling schemes learnt on parts of the holdout (Table 4): `python -m benchmarks.study_ensembling`.

Reads the predictions of a finished pipeline. Weights are learnt as many times as the parameters have folds, each time
without one fold's videos. What decides between schemes is their cross-validated GAP; test is only reported.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np

from benchmarks._common import spread
from yt8m import ensembling
from yt8m.core.files import write_text
from yt8m.report.figures import bar_figure
from yt8m.report.tables import csv_text, markdown
from yt8m.scoring.predictions import Aligned, aligned
from yt8m.settings import registry
from yt8m.settings.params import Params, load


class Row(NamedTuple):
    """A scheme of so many models, learnt without a fold; its cross-validated GAP is the same in all of its rows."""

    models: int
    scheme: str
    fold: int
    cross_validated_gap: float
    test_gap: float


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.study_ensembling", description="Compare ensembling schemes."
    )
    parser.add_argument("--project", type=Path, default=Path(), help="whose pipeline has run; default: this one")
    parser.add_argument("--output", type=Path, default=Path("docs/results/study_ensembling"), help="of .csv and .png")
    args = parser.parse_args(argv)
    params = load(args.project / "params.yaml")
    families: dict[str, str] = json.loads((args.project / "data/members.json").read_text(encoding="utf-8"))
    rows: list[Row] = []
    with predictions(args.project, "holdout", families) as holdout, predictions(args.project, "test", families) as test:
        for members in (ensembling.one_a_family(families), list(families)):
            rows += compare(params, holdout.take(members), test.take(members))
    write_text(args.output.with_suffix(".csv"), csv_text(Row._fields, rows))
    results = {
        f"{models} models, {scheme}": [row for row in rows if (row.models, row.scheme) == (models, scheme)]
        for models, scheme in dict.fromkeys((row.models, row.scheme) for row in rows)
    }
    bars = {name: mean(row.test_gap for row in each) for name, each in results.items()}
    bar_figure(bars, "Test GAP@20 (Table 4)", args.output.with_suffix(".png"))
    lines = [
        (name, each[0].cross_validated_gap, spread([row.test_gap for row in each])) for name, each in results.items()
    ]
    print(markdown(("ensemble", "holdout GAP, cross-validated", "test GAP"), lines))


def predictions(project: Path, split: str, names: Iterable[str]) -> AbstractContextManager[Aligned]:
    """The predictions of all models for a split."""
    return aligned({name: project / f"data/predictions/{split}/{name}.parquet" for name in names})


def compare(params: Params, holdout: Aligned, test: Aligned) -> list[Row]:
    """A row for each scheme and fold."""
    settings, classes = params.ensemble, params.data.layout.classes
    fold_of = ensembling.folds_of(holdout.ids, settings.folds, settings.seed)
    _, parts = ensembling.gather(holdout, classes, fold_of, settings.seed)
    weights = {
        scheme: np.stack([ensembling.fit(scheme, part, settings.seed) for part in parts])
        for scheme in registry.names("ensembling")
    }
    validated = ensembling.gaps(holdout, classes, weights, fold_of)
    of_test = [ensembling.gaps(test, classes, weights, np.full(len(test.ids), fold)) for fold in range(len(parts))]
    return [
        Row(len(holdout.names), scheme, fold, validated[scheme], gaps[scheme])
        for scheme in weights
        for fold, gaps in enumerate(of_test)
    ]


if __name__ == "__main__":
    main()
