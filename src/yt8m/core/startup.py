"""The start of Keras without the lines that TensorFlow's C++ code writes while it looks for GPUs.

Keras is not imported here. Decides no result: stages need not depend on it.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from yt8m.core.backend import flag_determinism

# Written before logging is set up, so that no level holds them back.
STARTUP = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|"
    rb"[IW]\d{4} .*(cudart_stub|cuda_diagnostics|cpu_feature_guard|port\.cc|computation_placer)|"
    rb"[EW]\d{4} .*Unable to register cu(FFT|DNN|BLAS) factory|"
    rb"To enable the following instructions"
)


@contextmanager
def starting() -> Iterator[None]:
    """Import Keras, or what imports it, in this context; all that TensorFlow says of its start is left out.

    What else goes to the standard error, a warning or an error, is written there at the end of the context, also
    where it ends with an exception.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or a missing GPU is an error
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
