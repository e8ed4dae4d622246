"""The part that all trainings share: parameters to a plan, a model trained and saved."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from stages._common import SPLIT, Params, live
from yt8m import models
from yt8m.data.dataset import Batch, Dataset
from yt8m.errors import InputError
from yt8m.files import whole
from yt8m.params import Model
from yt8m.training.determinism import make_deterministic
from yt8m.training.fit import Plan, fit, plan, samples


def make_plan(params: Params, videos: int, batch_size: int, learning_rate: float, epochs: int) -> Plan:
    """The plan of a training on `videos` videos."""
    train = params.train
    return plan(
        videos,
        batch_size=batch_size,
        learning_rate=learning_rate,
        epochs=epochs,
        decay=train.decay,
        decay_examples=train.decay_examples,
        clip_norm=train.clip_norm,
        eval_examples=train.eval_examples,
        patience=train.patience,
    )


def train_model(
    params: Params,
    settings: Model,
    manifest: Path,
    out: Path,
    *name: str,
    holdout: str = "frames.tsv",
    targets: Callable[[Batch], np.ndarray] | None = None,
    max_bytes: int | None = None,
) -> float:
    """Train a new model on the videos of a manifest, save it to `out`, and log to `metrics/NAME/…`.

    Raises:
        InputError: where the saved model takes more than `max_bytes` on disk; nothing is saved then.
    """
    make_deterministic()
    data = params.data
    train = Dataset(manifest, data.source, data.layout)
    description = models.describe(
        settings.family,
        data.layout,
        train.level,
        seed=settings.seed,
        momentum=params.train.batch_norm_momentum,
        args=settings.args,
    )
    model = models.build(description)
    print(f"{'/'.join(name)}: {settings.family}, {model.count_params():,} parameters, {train.size} videos")
    schedule = make_plan(params, train.size, settings.batch_size, settings.learning_rate, settings.epochs)
    batches = train.shuffled(settings.batch_size, settings.seed, params.train.shuffle_buffer)
    with live(*name) as log:
        gap = fit(
            model,
            samples(batches, targets),
            Dataset(SPLIT / "holdout" / holdout, data.source, data.layout),
            schedule,
            log,
        )
        with whole(out) as folder:
            models.save(model, description, folder)
            size = sum(path.stat().st_size for path in folder.iterdir())
            if max_bytes is not None and size > max_bytes:
                raise InputError(f"expected a model of at most {max_bytes:,} bytes, received {size:,} bytes")
        log.summary["bytes"] = size
        log.make_summary()
    print(f"{'/'.join(name)}: holdout GAP {gap:.4f}")
    return gap
