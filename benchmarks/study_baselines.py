"""The plain classifiers that others are measured against: `python -m benchmarks.study_baselines`.

Logistic regression and one hidden layer on video-level features, trained by plain Keras (AdamW, cosine decay) to the
best epoch on the holdout: of the pipeline's own training nothing takes part but the loss.
"""

from collections.abc import Sequence
from functools import partial

import keras

from benchmarks._study import Split, parser, start
from yt8m.settings.params import Model
from yt8m.training.losses import cross_entropy
from yt8m.training.scores import dataset_gap

# hidden layers, dropout, epochs, learning rate, weight decay
VARIANTS = {
    "logistic regression": ([], 0.0, 10, 3e-3, 0.0),
    "one hidden layer of 1024": ([1024], 0.5, 16, 1e-3, 0.0),
    "one hidden layer of 2048, AdamW": ([2048], 0.7, 24, 1e-3, 1e-2),
}
BATCH_SIZE = 256


def trained(split: Split, settings: Model, decay: float) -> tuple[keras.Model, float]:
    """A model with its best epoch's weights, and their GAP on the holdout."""
    videos, holdout = split.dataset("train"), split.dataset("holdout")
    model, steps = split.model(settings), videos.size // BATCH_SIZE
    schedule = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps * settings.epochs)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=decay), cross_entropy)
    batches = videos.shuffled(BATCH_SIZE, settings.seed, split.params.train.shuffle_buffer)
    best, weights = -1.0, model.get_weights()
    for _ in range(settings.epochs):
        for _ in range(steps):
            batch = next(batches)
            model.train_on_batch(batch.inputs, batch.labels)
        if (gap := dataset_gap(model, holdout, BATCH_SIZE)) > best:
            best, weights = gap, model.get_weights()
    model.set_weights(weights)
    return model, best


def main(argv: Sequence[str] | None = None) -> None:
    args = parser("study_baselines", "Train the plain classifiers of video-level features.").parse_args(argv)
    split, table = start(args)
    for seed in args.seeds:
        for variant, (hidden, dropout, epochs, rate, decay) in VARIANTS.items():
            family = {"hidden": hidden, "dropout": dropout, "l2": 0.0}
            settings = Model(
                family="mlp", seed=seed, batch_size=BATCH_SIZE, learning_rate=rate, epochs=epochs, args=family
            )
            table.add(variant, seed, split, partial(trained, split, settings, decay))
    print(table.summary())


if __name__ == "__main__":
    main()
