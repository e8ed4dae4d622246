"""A training from its start to the saved model; go on where a killed run was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import keras

from yt8m.core.errors import InputError
from yt8m.core.files import remove, whole, write_json
from yt8m.models import contract, storage
from yt8m.models.building import Description, build
from yt8m.training.devices import Devices, prepare
from yt8m.training.fit import fit, prepared
from yt8m.training.state import State, all_that_decides, environment, fingerprint
from yt8m.training.training import Training

if TYPE_CHECKING:
    from dvclive import Live


def run(training: Training) -> float:
    """Train a model, save it to `training.out`, and log to `training.log`.

    Returns:
        The best GAP@20 on the holdout.

    Raises:
        InputError: where the family breaks its contract, the batch cannot be divided among the devices, several
            processes are not about the same, or the saved model takes more than `training.max_bytes`; nothing is saved
            then.
    """
    devices = prepare(training.schedule.xla)
    rows = devices.rows(training.schedule.batch_size)
    decides = all_that_decides(training.identity(), devices.replicas)
    devices.peers.compare(decides)
    if isinstance(training.start, Description):
        contract.check(training.start)
    with devices.scope(), devices.peers.losses():
        model, description = begun(training.start)
        print(f"{training.name}: {model.name}, {model.count_params():,} parameters, {training.length}")
        state = State(training.states / fingerprint(decides), devices.peers)
        trained = prepared(model, training)
        with curves(training.log, devices) as live:
            gap = fit(trained, training, live, state, rows)
        if devices.writes:
            with whole(training.out) as folder:
                made = {**environment(), "devices": devices.replicas, "training": training.summary()}
                storage.save(model, description, folder, training.storage, made)
                training.objective.save(trained, folder)
                size = checked_size(folder, training.max_bytes)
            figures = {"holdout_gap": gap} | ({"bytes": size} if training.max_bytes else {})
            write_json(training.log / "metrics.json", figures)
            remove(training.states)
    print(f"{training.name}: holdout GAP {gap:.4f}")
    return gap


def begun(start: Description | Path) -> tuple[keras.Model, Description]:
    """A new model, or a trained one."""
    return storage.load(start) if isinstance(start, Path) else (build(start), start)


@contextmanager
def curves(folder: Path, devices: Devices) -> Iterator["Live"]:
    """Log to a folder by step, in the one process that writes."""
    from dvclive import Live

    with TemporaryDirectory() as elsewhere:
        place = folder if devices.writes else Path(elsewhere)
        with Live(str(place), dvcyaml=None, save_dvc_exp=False) as live:
            yield live


def checked_size(folder: Path, most: int | None) -> int:
    """Bytes of a folder's files.

    Raises:
        InputError: where they are more than `most`.
    """
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    if most is not None and size > most:
        raise InputError(f"expected a model of at most {most:,} bytes, received {size:,} bytes")
    return size
