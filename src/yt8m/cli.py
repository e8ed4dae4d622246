"""The command `yt8m`: each subcommand is a file of `commands/`, found by its name.

It has a docstring, whose first line is the help, `arguments(parser)`, and `run`, which takes what is parsed by name
and may return an exit status.
"""

import argparse
import os
import sys
from importlib import import_module

from yt8m.core.errors import InputError
from yt8m.settings import registry


def main(argv: list[str] | None = None) -> None:
    """Run a subcommand; a wrong input ends in one line and a non-zero exit."""
    parser = argparse.ArgumentParser(prog="yt8m", description="Tools around the pipeline.")
    subcommands = parser.add_subparsers(required=True, metavar="command")
    for name, module in registry.modules("yt8m.commands").items():
        command = import_module(module)
        text = (command.__doc__ or "").strip()
        subcommand = subcommands.add_parser(name, help=text.splitlines()[0].rstrip("."), description=text)
        command.arguments(subcommand)
        subcommand.set_defaults(run=command.run)
    args = vars(parser.parse_args(argv))
    try:
        status = args.pop("run")(**args)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would fail once more in the end
        sys.exit(1)
    except (InputError, OSError) as error:
        sys.exit(f"yt8m: {error}")
    except KeyboardInterrupt:
        sys.exit("yt8m: interrupted")
    if status:
        sys.exit(status)
