"""The part that all trainings share: parameters to a plan, a model trained, its state kept, and saved."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import keras
import numpy as np

from stages._common import SPLIT, STATES, Params, live
from yt8m import models
from yt8m.data.dataset import Batch, Dataset
from yt8m.errors import InputError
from yt8m.files import remove, whole
from yt8m.params import Model
from yt8m.training.devices import Devices, prepare
from yt8m.training.fit import Samples, fit, plan, samples
from yt8m.training.state import State, fingerprint

if TYPE_CHECKING:
    from dvclive import Live


@contextmanager
def logged(devices: Devices, *name: str) -> Iterator["Live"]:
    """Log to `metrics/NAME/…`, in the one process that writes."""
    if devices.process == 0:
        with live(*name) as log:
            yield log
        return
    from dvclive import Live

    with TemporaryDirectory() as folder, Live(folder, dvcyaml=None, save_dvc_exp=False) as log:
        yield log


def fit_model(
    params: Params,
    devices: Devices,
    model: keras.Model,
    train: Dataset,
    holdout: str,
    *name: str,
    seed: int,
    batch_size: int,
    learning_rate: float,
    epochs: int,
    out: Path,
    save: Callable[[Path], dict[str, float]],
    decisive: Iterable[object],
    inputs: Iterable[Path] = (),
    targets: Callable[[Batch], np.ndarray] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    score_start: bool = False,
    max_bytes: int | None = None,
) -> float:
    """Train a model that was built, save it to `out`, and log to `metrics/NAME/…`; go on where a killed run was.

    Args:
        holdout: manifest's name in the holdout's folder.
        name: the stage and what it trains.
        seed: of the videos' order.
        batch_size, learning_rate, epochs: see `plan`.
        save: writes the model, and what belongs to it, into a folder, and returns figures for the log.
        decisive: parameters that decide the result, beside those above.
        inputs: files that decide it, beside the manifests.
        targets: see `samples`.
        callbacks: see `fit`.
        score_start: see `fit`.
        max_bytes: the most that the saved model may take on disk.

    Raises:
        InputError: where the saved model takes more than `max_bytes`; nothing is saved then.
    """
    title = "/".join(name)
    print(f"{title}: {model.name}, {model.count_params():,} parameters, {train.size} videos")
    schedule = plan(train.size, params.train, batch_size=batch_size, learning_rate=learning_rate, epochs=epochs)
    rows, buffer = devices.rows(batch_size), params.train.shuffle_buffer
    manifests = [train.manifest, SPLIT / "holdout" / holdout]
    settings = [schedule, seed, buffer, devices.replicas, *decisive]
    states = STATES.joinpath(*name)
    state = State(states / fingerprint(settings, [*manifests, *inputs]), write=devices.process == 0)

    def training(start: int) -> Samples:
        return samples(train.shuffled(batch_size, seed, buffer, start=start, rows=rows), targets)

    with logged(devices, *name) as log:
        gap = fit(
            model,
            training,
            Dataset(manifests[1], params.data.source, params.data.layout),
            schedule,
            log,
            state,
            callbacks=callbacks,
            score_start=score_start,
        )
        if devices.process == 0:
            with whole(out) as folder:
                log.summary.update(save(folder))
                size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
                if max_bytes is not None and size > max_bytes:
                    raise InputError(f"expected a model of at most {max_bytes:,} bytes, received {size:,} bytes")
            log.summary["bytes"] = size
            log.make_summary()
            remove(states)
    print(f"{title}: holdout GAP {gap:.4f}")
    return gap


def train_model(
    params: Params,
    settings: Model,
    manifest: Path,
    out: Path,
    *name: str,
    holdout: str = "frames.tsv",
    targets: Callable[[Batch], np.ndarray] | None = None,
    decisive: Iterable[object] = (),
    inputs: Iterable[Path] = (),
    max_bytes: int | None = None,
) -> float:
    """Train a new model on the videos of a manifest; for the rest see `fit_model`."""
    devices, data = prepare(params.train.xla), params.data
    train = Dataset(manifest, data.source, data.layout)
    description = models.describe(
        settings.family,
        data.layout,
        train.level,
        seed=settings.seed,
        momentum=params.train.batch_norm_momentum,
        precision=params.train.precision,
        args=settings.args,
    )
    with devices.scope():
        model = models.build(description)

        def save(folder: Path) -> dict[str, float]:
            models.save(model, description, folder)
            return {}

        return fit_model(
            params,
            devices,
            model,
            train,
            holdout,
            *name,
            seed=settings.seed,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            epochs=settings.epochs,
            out=out,
            save=save,
            decisive=[description, *decisive],
            inputs=inputs,
            targets=targets,
            max_bytes=max_bytes,
        )
