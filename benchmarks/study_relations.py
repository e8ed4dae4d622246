"""What fine-tuning with label relations brings: `python -m benchmarks.study_relations [--models mlp moe]`.

A model is trained, and then goes on for as many steps as the section `finetune` says: as it was trained ("continued"),
or with label relations of some weights. All begin with the same weights and see the same videos in the same order.
"""

from collections.abc import Sequence
from functools import partial

import keras
import numpy as np

from benchmarks._study import Split, parser, start
from yt8m.layers.head import OUTPUT
from yt8m.relations.regularizer import Alternate, RelatedModel
from yt8m.settings.params import Finetune, Model

BEFORE, CONTINUED, GATES = "before", "continued", "relations of the gates"
VARIANTS: dict[str, dict[str, float]] = {  # factors of the section's values
    "relations": {},
    "lambda2 / 10": {"lambda2": 0.1},
    "lambda2 x 10": {"lambda2": 10},
    "lambda1 x 100": {"lambda1": 100},
    "period x 10": {"period": 10},
    # Omega hardly counts in the inverse, which is about as strong as before: plain weight decay of W.
    "all classes alike": {"lambda2": 40, "damping": 1000},
}


MODELS = {
    "mlp": Model(
        family="mlp",
        seed=1,
        batch_size=512,
        learning_rate=0.002,
        epochs=8,
        args={"hidden": [1024], "dropout": 0.5, "l2": 1e-4},
    ),
    "moe": Model(family="moe", seed=1, batch_size=512, learning_rate=0.003, epochs=5, args={"mixtures": 2, "l2": 4e-4}),
}


class RelatedGates(RelatedModel):
    """Relations of the gates' kernel instead of the experts'."""

    def output_kernel(self) -> tuple[keras.Variable, int]:
        layer = self.get_layer(OUTPUT)
        return layer.gate_kernel, layer.classes


def scaled(settings: Finetune, factors: dict[str, float]) -> Finetune:
    """The parameter file's section with some values multiplied."""
    values = settings.model_dump()
    return Finetune.model_validate(values | {key: values[key] * factor for key, factor in factors.items()})


def finetuned(
    split: Split, settings: Model, weights: Sequence[np.ndarray], finetune: Finetune, related: type[RelatedModel] | None
) -> tuple[keras.Model, float]:
    """The model that goes on from trained weights, and its best GAP on the holdout."""
    model = split.model(settings)
    model.set_weights(weights)
    going_on = settings.model_copy(
        update={"seed": settings.seed + 1_000_000, "epochs": finetune.epochs, "learning_rate": finetune.learning_rate}
    )
    if related is None:
        return model, split.train(model, going_on, score_start=True)
    wrapped = related(
        model.inputs, model.outputs, lambda1=finetune.lambda1, lambda2=finetune.lambda2, damping=finetune.damping
    )
    callbacks = [Alternate(finetune.period)]
    return model, split.train(wrapped, going_on, callbacks=callbacks, score_start=True)


def main(argv: Sequence[str] | None = None) -> None:
    options = parser("study_relations", "Compare fine-tuning with label relations and without.")
    options.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    args = options.parse_args(argv)
    split, table = start(args)
    for name in args.models:
        for seed in args.seeds:
            settings = MODELS[name].model_copy(update={"seed": seed})
            model = split.model(settings)
            gap = split.train(model, settings)
            weights = model.get_weights()
            table.add(f"{name}: {BEFORE}", seed, split, lambda model=model, gap=gap: (model, gap))  # type: ignore[misc]
            kinds: dict[str, type[RelatedModel] | None] = {CONTINUED: None} | dict.fromkeys(VARIANTS, RelatedModel)
            if settings.family != "mlp":
                kinds[GATES] = RelatedGates
            for variant, kind in kinds.items():
                finetune = scaled(split.params.finetune, VARIANTS.get(variant, {}))
                going_on = partial(finetuned, split, settings, weights, finetune, kind)
                table.add(f"{name}: {variant}", seed, split, going_on)
    print(table.summary())


if __name__ == "__main__":
    main()
