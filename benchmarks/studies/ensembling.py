"""Ensembling schemes learnt on parts of the holdout (Table 4): `python -m benchmarks.studies.ensembling`.

Reads the predictions of a finished pipeline. Weights are learnt as many times as the parameters have folds, each time
without one fold's videos. What decides between schemes is their cross-validated GAP; test is only reported.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import mean

import numpy as np

from benchmarks.studies._study import parser_of, spread
from stages._places import MEMBERS, PREDICTIONS
from yt8m.core.files import read_json, write_csv
from yt8m.ensembling import fitting
from yt8m.report.bars import bar_figure
from yt8m.report.drawing import save_png
from yt8m.report.tables import markdown
from yt8m.scoring.predictions import Aligned, aligned
from yt8m.settings import registry
from yt8m.settings.loading import load
from yt8m.settings.params import Params


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("ensembling")
    parser.add_argument("--output", type=Path, default=Path("docs/results/study_ensembling"), help="of .csv and .png")
    args = parser.parse_args(argv)
    params = load(args.project / "params.yaml")
    families: dict[str, str] = read_json(args.project / MEMBERS)
    rows, lines, bars = [], [], {}
    with predictions(args.project, "holdout", families) as holdout, predictions(args.project, "test", families) as test:
        for members in (fitting.one_a_family(families), list(families)):
            for scheme, (validated, gaps) in compare(params, holdout.take(members), test.take(members)).items():
                name = f"{len(members)} models, {scheme}"
                rows += [(len(members), scheme, fold, validated, gap) for fold, gap in enumerate(gaps)]
                lines.append((name, validated, spread(gaps)))
                bars[name] = mean(gaps)
    header = ("models", "scheme", "fold", "cross_validated_gap", "test_gap")
    write_csv(args.output.with_suffix(".csv"), header, rows)
    save_png(bar_figure(bars, "Test GAP@20 (Table 4)"), args.output.with_suffix(".png"))
    print(markdown(("ensemble", "holdout GAP, cross-validated", "test GAP"), lines))


def predictions(project: Path, split: str, names: Iterable[str]) -> AbstractContextManager[Aligned]:
    """The predictions of all models for a split."""
    return aligned({name: project / PREDICTIONS / split / f"{name}.parquet" for name in names})


def compare(params: Params, holdout: Aligned, test: Aligned) -> dict[str, tuple[float, list[float]]]:
    """For each scheme its cross-validated GAP, and its test GAP as learnt without each fold."""
    settings, classes = params.ensemble, params.data.layout.classes
    fold_of = fitting.folds_of(holdout.ids, settings.folds, settings.seed)
    _, parts = fitting.gather(holdout, classes, fold_of, settings.seed)
    weights = {
        scheme: np.stack([fitting.fit(scheme, part, settings.seed) for part in parts]) for scheme in registry.schemes()
    }
    validated = fitting.gaps(holdout, classes, weights, fold_of)
    of_test = [fitting.gaps(test, classes, weights, np.full(len(test.ids), fold)) for fold in range(len(parts))]
    return {scheme: (validated[scheme], [gaps[scheme] for gaps in of_test]) for scheme in weights}


if __name__ == "__main__":
    main()
