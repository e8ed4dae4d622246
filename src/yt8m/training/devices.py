"""What a training runs on: every GPU of this machine, or several processes in step; the same bits in every run."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import keras

from yt8m.core.backend import flag_determinism
from yt8m.core.errors import InputError
from yt8m.training import peers
from yt8m.training.peers import Peers

PROCESSES, PROCESS = "KERAS_DISTRIBUTION_NUM_PROCESSES", "KERAS_DISTRIBUTION_PROCESS_ID"
ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"


@dataclass(frozen=True)
class Devices:
    """Devices that divide each batch among them.

    Attributes:
        peers: the processes that train one model; process 0 alone writes anything.
        replicas: devices of all processes.
        scope: in whose context the model is built and trained.
    """

    peers: Peers
    replicas: int
    scope: Callable[[], AbstractContextManager]

    @property
    def writes(self) -> bool:
        """Whether this process writes files."""
        return self.peers.process == 0

    def rows(self, batch_size: int) -> slice:
        """The rows of each batch that this process reads.

        Raises:
            InputError: where the batch cannot be divided among the devices.
        """
        if batch_size % self.replicas:
            raise InputError(
                f"batch_size: expected a multiple of the {self.replicas} devices that divide it, received {batch_size}"
            )
        share = batch_size // self.peers.processes
        return slice(self.peers.process * share, (self.peers.process + 1) * share)


def prepare(xla: bool = False) -> Devices:
    """Make operations deterministic and take all devices; to be called before anything is computed.

    On TensorFlow several GPUs work under `MirroredStrategy`, on JAX under Keras's `DataParallel`; there the
    environment variables `KERAS_DISTRIBUTION_*` join several processes, of one machine or more.

    Args:
        xla: whether XLA compiles the training; TensorFlow's own deterministic mode, which excludes XLA, stays off then.

    Raises:
        InputError: where several processes are asked of another backend, or not all of them start.
    """
    backend, processes = keras.backend.backend(), int(os.environ.get(PROCESSES, 1))
    make_deterministic(xla)  # first: XLA reads its flags once, when the processes are joined
    if processes > 1:
        if backend != "jax":
            raise InputError(f"{PROCESSES}={processes}: expected train.backend: jax, received {backend}")
        join(processes)
    if backend not in ("tensorflow", "jax"):
        return Devices(Peers(), 1, nullcontext)
    names = keras.distribution.list_devices()
    scope: Callable[[], AbstractContextManager] = nullcontext
    if len(names) > 1 and backend == "tensorflow":
        import tensorflow as tf

        scope = tf.distribute.MirroredStrategy(names).scope
    elif len(names) > 1:
        # Each process reads its own rows.
        scope = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False).scope
    return Devices(Peers(int(os.environ.get(PROCESS, 0)), processes), len(names), scope)


def join(processes: int) -> None:
    """Join the processes that the environment names, as Keras does, but within bounded times.

    Raises:
        InputError: where not all of them start.
    """
    import jax

    process, address = int(os.environ.get(PROCESS, 0)), os.environ.get(ADDRESSES, "").split(",")[0]
    if not address:
        raise InputError(f"{ADDRESSES}: expected HOST:PORT of the first process, received nothing")
    try:
        jax.distributed.initialize(
            address,
            processes,
            process,
            initialization_timeout=peers.JOIN,
            heartbeat_timeout_seconds=peers.HEARTBEAT,
            shutdown_timeout_seconds=peers.HEARTBEAT,
        )
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"process {process}: expected {processes} processes at {address}: {reason}") from None


def make_deterministic(xla: bool = False) -> None:
    """Ask the backend for the same bits in every run."""
    flag_determinism()
    if keras.backend.backend() == "tensorflow" and not xla:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
