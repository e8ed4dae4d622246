"""Run a stage: `python -m stages NAME [WORD …]`; NAME is a file of this folder, whose `main` takes the words."""

import sys
from importlib import import_module
from io import TextIOWrapper

from yt8m.core.backend import choose, limit_threads
from yt8m.core.errors import InputError
from yt8m.core.lifeline import follow_owner
from yt8m.core.startup import starting
from yt8m.settings.loading import load
from yt8m.settings.registry import modules


def main(words: list[str]) -> None:
    """Check the parameters, choose backend and threads, and run a stage; end with a line, not a traceback."""
    follow_owner()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # or a log file shows no progress
    name, *rest = words or [""]
    try:
        if name not in modules("stages"):
            raise InputError(f"expected a stage, one of {list(modules('stages'))}, received {name!r}")
        params = load()
        choose(params.train.backend)
        limit_threads(params.train.threads)
        with starting():
            stage = import_module(f"stages.{name}")
        stage.main(params, *rest)
    except (InputError, OSError) as error:
        sys.exit(f"{' '.join(words) or 'stages'}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
