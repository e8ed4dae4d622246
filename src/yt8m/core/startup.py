"""The start of Keras without the lines that TensorFlow's C++ code writes, and without what nobody here uses of it.

Keras is not imported here. Decides no result: stages need not depend on it.
"""

import gc
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from tempfile import TemporaryFile

from yt8m.core.backend import BACKEND, flag_determinism

# Written before logging is set up, so that no level holds them back.
STARTUP = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|"
    rb"[IW]\d{4} .*(cudart_stub|cuda_diagnostics|cpu_feature_guard|port\.cc|computation_placer)|"
    rb"[EW]\d{4} .*Unable to register cu(FFT|DNN|BLAS) factory|"
    rb"To enable the following instructions"
)
# What Keras and TensorFlow import because it is installed, for wrappers and conversions that nobody here uses.
OPTIONAL = {"jax", "matplotlib", "sklearn", "tensorflow"}


class _Hidden(MetaPathFinder):
    """Hides packages from Keras and TensorFlow, which then do without, and from nobody else."""

    def __init__(self, names: set[str]):
        self.names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse a hidden package to those from which it is hidden; leave all else to other finders."""
        if name in self.names:
            frame = sys._getframe(1)
            while frame.f_back and frame.f_globals["__name__"].startswith(("importlib", "_frozen_importlib")):
                frame = frame.f_back
            if frame.f_globals["__name__"].split(".")[0] in ("keras", "tensorflow"):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def starting() -> Iterator[None]:
    """Import Keras, or what imports it, in this context; all that TensorFlow says of its start is left out.

    What else goes to the standard error, a warning or an error, is written there at the end of the context, also
    where it ends with an exception.
    """
    hidden = _Hidden(OPTIONAL - {os.environ.get(BACKEND, "tensorflow")})
    sys.meta_path.insert(0, hidden)
    gc.disable()  # what modules define stays; to look through it again and again takes a tenth of the time
    try:
        with _quiet():
            yield
            if "tensorflow" in hidden.names and (keras := sys.modules.get("keras")):
                keras.utils.set_random_seed(0)  # looks for TensorFlow the first time, and then no more
    finally:
        gc.freeze()
        gc.enable()
        sys.meta_path.remove(hidden)


@contextmanager
def _quiet() -> Iterator[None]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or a missing GPU is an error
    # Or tensors' memory goes back to the system and is asked for anew in each step, which took half of some trainings.
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    flag_determinism()
    sys.stderr.flush()
    own = os.dup(2)
    with TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
            if tensorflow := sys.modules.get("tensorflow"):
                tensorflow.config.list_physical_devices()  # looks for GPUs, and says so once more
        finally:
            sys.stderr.flush()
            os.dup2(own, 2)
            os.close(own)
            said.seek(0)
            for line in said:
                if not STARTUP.match(line):
                    os.write(2, line)
