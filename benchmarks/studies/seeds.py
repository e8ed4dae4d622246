"""How far another seed alone moves a model: `python -m benchmarks.studies.seeds [--models MODEL …]`.

Models of params.yaml are trained with one seed after the other. The first is what a pull request starts from, each of
the others a pull request that changes nothing but the seed, which `yt8m review` should call noise.
"""

import argparse
from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from benchmarks.studies import _study, recipes
from benchmarks.studies._study import BATCH, Table, Trained
from yt8m.core.ragged import Ragged
from yt8m.report.tables import markdown
from yt8m.review import noise, sides
from yt8m.review.noise import Spread
from yt8m.scoring import bootstrap
from yt8m.scoring.metrics import top_k
from yt8m.scoring.predictions import Predictions, concatenate


class Paired:
    """The paired error of a model's difference from the first one that it is asked about."""

    def __init__(self) -> None:
        self._first: np.ndarray | None = None

    def __call__(self, found: Trained) -> dict[str, float]:
        """The errors of a model's test GAP, and of its difference from the first."""
        from yt8m.training.scores import predict

        parts = [
            Predictions(pa.array(batch.ids, pa.string()), Ragged.hot(batch.labels), *top_k(scores, 20))
            for batch, scores in predict(found.model, found.test, BATCH)
        ]
        resampled = bootstrap.gaps(concatenate(parts), seed=0)
        self._first = resampled if self._first is None else self._first
        return {"gap_error": bootstrap.error(resampled), "paired_error": bootstrap.error(resampled - self._first)}


def judged(table: Table, spread: Spread) -> str:
    """How many of each model's changes of the seed are called noise, as Markdown."""
    lines = []
    for model in dict.fromkeys(row["variant"] for row in table.rows):
        gaps, errors = (np.array(table.values(model, key)) for key in ("test_gap", "paired_error"))
        changes = np.abs(gaps - gaps[0])[1:]
        bounds = np.array([spread.bound(error, trained=True) for error in errors[1:]])
        noise = f"{np.sum(changes <= bounds)} of {len(changes)}"
        lines.append((model, _study.spread(gaps.tolist()), float(changes.max()), float(bounds.mean()), noise))
    return markdown(("model", "test GAP", "largest change", "noise up to, mean", "called noise"), lines)


def main(argv: Sequence[str] | None = None) -> None:
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--models", nargs="+", help="of params.yaml; default: all")
    chosen, rest = own.parse_known_args(argv)
    args, table, _ = _study.begin("seeds", {"params.yaml": None}, rest)
    with _study.at(args.project) as params:
        paired = {model: Paired() for model in chosen.models or params.models}
        for seed in args.seeds:
            for model in paired:
                other = recipes.of_model(params, model, seed, None)
                with _study.workplace(f"seeds-{table.path.stem}"):
                    table.add(model, seed, partial(_study.train_alone, other, model), paired[model])
        spread = noise.spread([sides.working_tree()])
    print(judged(table, spread))


if __name__ == "__main__":
    main()
