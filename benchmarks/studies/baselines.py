"""The plain classifiers that others are measured against: `python -m benchmarks.studies.baselines`.

Logistic regression and one hidden layer on video-level features, trained by plain Keras (AdamW, cosine decay) to the
best epoch on the holdout: of the pipeline's own training nothing takes part but the loss.
"""

from collections.abc import Sequence
from functools import partial

from benchmarks.studies import _study
from benchmarks.studies._study import Trained
from stages._places import SPLIT
from yt8m.core.schema import Level
from yt8m.records.dataset import Dataset
from yt8m.settings.params import Model, Params


def mlp(hidden: list[int], dropout: float, epochs: int, learning_rate: float) -> Model:
    """A classifier's section."""
    args = {"hidden": hidden, "input_dropout": 0.0, "dropout": dropout, "l2": 0.0}
    return Model(family="mlp", batch_size=256, learning_rate=learning_rate, epochs=epochs, args=args)


VARIANTS = {  # and their weight decay
    "logistic regression": (mlp([], 0.0, 10, 3e-3), 0.0),
    "one hidden layer of 1024": (mlp([1024], 0.5, 16, 1e-3), 0.0),
    "one hidden layer of 2048, AdamW": (mlp([2048], 0.7, 24, 1e-3), 1e-2),
}


def train(params: Params, section: Model, decay: float, seed: int) -> Trained:
    """A model with its best epoch's weights."""
    import keras

    from yt8m.training.losses import cross_entropy
    from yt8m.training.run import begun
    from yt8m.training.scores import dataset_gap
    from yt8m.training.training import Training

    videos, holdout, test = (
        Dataset(SPLIT / "videos" / f"{name}.tsv", params.data.source) for name in ("train", "holdout", "test")
    )
    model, _ = begun(Training.of(params, section, seed, "baselines", Level.VIDEO).start)
    size = section.batch_size
    steps = max(1, videos.size // size)
    schedule = keras.optimizers.schedules.CosineDecay(section.learning_rate, steps * section.epochs)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=decay), cross_entropy)
    batches = videos.shuffled(size, seed, params.train.shuffle_buffer)
    best, weights = -1.0, model.get_weights()
    for _ in range(section.epochs):
        for _ in range(steps):
            batch = next(batches)
            model.train_on_batch(batch.inputs, batch.labels)
        if (gap := dataset_gap(model, holdout, size)) > best:
            best, weights = gap, model.get_weights()
    model.set_weights(weights)
    return Trained(model, best, test)


def main(argv: Sequence[str] | None = None) -> None:
    args, table, variants = _study.begin("baselines", VARIANTS, argv)
    with _study.at(args.project) as params:
        for seed in args.seeds:
            for name, (section, decay) in variants.items():
                table.add(name, seed, partial(train, params, section, decay, seed), _study.rare_map)
    print(table.summary())


if __name__ == "__main__":
    main()
