"""What label relations do, over how much they weigh: `python -m benchmarks.studies.relations`.

The model that Table 2 starts from is trained, and then goes on for as long as the section `finetune` says: by the
labels alone ("continued": relations that weigh nothing), or with label relations of some weights. All begin with the
same weights and see the same videos in the same order.
"""

import csv
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.studies import _study
from benchmarks.studies._study import Trained
from stages._places import METRICS
from yt8m.settings.params import Params

BEFORE = "before"
# Factors of the section's values.
VARIANTS: dict[str, dict[str, float]] = {
    "continued": {"lambda1": 0, "lambda2": 0},
    "relations": {},
    **{f"lambda2 x {factor:,}": {"lambda2": factor} for factor in (10, 100, 1_000, 10_000)},
    "damping / 10": {"damping": 0.1},
    "damping x 10": {"damping": 10},
    "damping / 10, lambda2 x 100": {"damping": 0.1, "lambda2": 100},
    "damping x 10, lambda2 x 100": {"damping": 10, "lambda2": 100},
    # Omega hardly counts in the inverse, C / damping for all: plain weight decay of W.
    "all classes alike, lambda2 x 100": {"lambda2": 100 * 40, "damping": 1000},
    "lambda1 x 100": {"lambda1": 100},
    "period x 10": {"period": 10},
}
LOGGED = {"last_holdout_gap": "holdout_gap", "relations_share": "relations_share", "output_moved": "output_moved"}


def of_seed(params: Params, seed: int) -> tuple[Params, str]:
    """A project whose one set is of this seed and fine-tuned, and the model that is looked at."""
    model = params.evaluate.plain.split("-")[0]
    changes = {
        "sets": {"related": {"seed": seed, "finetune": True}},
        "evaluate.plain": f"{model}-related",
        "evaluate.related": [f"{model}-related"],
    }
    return _study.changed(params, changes), model


def finetune(params: Params, model: str) -> Trained:
    """The trained model as the stage finetune leaves it."""
    _study.run_stage(params, "finetune", model, "related")
    return _study.trained(params, f"finetune/{model}-related")


def figures(found: Trained, model: str) -> dict[str, float]:
    """Beside the rare classes' mAP, what was logged at the end: the weights kept may be those of the start."""
    logs = METRICS / "finetune" / f"{model}-related" / "plots" / "metrics"
    told = dict.fromkeys(LOGGED, 0.0)  # nothing was before fine-tuning
    for name, log in LOGGED.items():
        if (path := logs / f"{log}.tsv").exists():
            with path.open(encoding="utf-8", newline="") as file:
                *_, last = csv.DictReader(file, delimiter="\t")
            told[name] = float(last[log])
    return _study.rare_map(found) | told


def main(argv: Sequence[str] | None = None) -> None:
    args, table, variants = _study.begin("relations", VARIANTS, argv)
    with _study.at(args.project) as params:
        for seed in args.seeds:
            if not any(table.lacks(name, seed) for name in (BEFORE, *variants)):
                continue
            before, model = of_seed(params, seed)
            measured = partial(figures, model=model)
            with _study.workplace(f"relations-{table.path.stem}"):
                _study.run_stage(before, "train", model, "related")
                table.add(BEFORE, seed, partial(_study.trained, before, f"train/{model}-related"), measured)
                section: dict[str, Any] = before.finetune.model_dump()
                for name, factors in variants.items():
                    changes = {f"finetune.{key}": section[key] * factor for key, factor in factors.items()}
                    changed = _study.changed(before, changes)
                    table.add(name, seed, partial(finetune, changed, model), measured)
    print(table.summary())


if __name__ == "__main__":
    main()
