"""The stages of dvc.yaml: each is given the checked parameters, calls the package, and writes its outputs.

Run as `python -m stages NAME` from the project's root; see `__main__.py`.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

# An experiment in a copy of the project runs the copy's code, not the installed one's.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

if find_spec("keras") is None:
    sys.exit(f"{sys.executable} lacks the project's packages: run `make repro`, or `. .venv/bin/activate` before dvc")
