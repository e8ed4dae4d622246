"""The stages of dvc.yaml: each reads its parameters, calls the package, and writes its outputs.

Run as `python -m stages.NAME` from the project's root.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# An experiment in a copy of the project runs the copy's code, not the installed one's.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reports a missing GPU as an error

if find_spec("keras") is None:
    sys.exit(f"{sys.executable} lacks the project's packages: run `make repro`, or `. .venv/bin/activate` before dvc")
