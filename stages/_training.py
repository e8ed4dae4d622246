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
from yt8m.training.fit import Batches, Samples, fit, followed, plan, samples
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
    first: tuple[Dataset, int] | None = None,
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
        first: other videos, which those of `train` follow after so many epochs, as long as theirs.
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

    def batches(videos: Dataset) -> Batches:
        return lambda start: videos.shuffled(batch_size, seed, buffer, start=start, rows=rows)

    stream = batches(train)
    if first is not None:
        others, before = first
        steps = before * train.size // batch_size
        stream = followed(batches(others), steps, stream)
        manifests.append(others.manifest)
        settings.append(steps)
        print(f"{title}: {steps} of {schedule.steps} steps on {others.size} other videos")

    def training(start: int) -> Samples:
        return samples(stream(start), targets)

    states = STATES.joinpath(*name)
    state = State(states / fingerprint(settings, [*manifests, *inputs]), write=devices.process == 0)

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
    first: tuple[Path, int] | None = None,
    targets: Callable[[Batch], np.ndarray] | None = None,
    decisive: Iterable[object] = (),
    inputs: Iterable[Path] = (),
    max_bytes: int | None = None,
    storage: str = "float32",
) -> float:
    """Train a new model on the videos of a manifest.

    Args:
        first: manifest and epochs of other videos; for this and the rest see `fit_model`.
        storage: see `models.save`. It decides nothing of the training: with another one a student that was too large
            is saved without being trained again.
    """
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
            models.save(model, description, folder, storage)
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
            first=first and (Dataset(first[0], data.source, data.layout), first[1]),
            inputs=inputs,
            targets=targets,
            max_bytes=max_bytes,
        )
