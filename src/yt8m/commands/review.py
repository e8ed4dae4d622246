"""Print Markdown for a pull request: how quality, parameters and stages differ from another branch's.

It compares the working tree with the commit at which it has left BASE, by what git holds; where DVC's cache has the
test predictions of both, changes are measured on them. What cannot be compared is refused, with exit status 1.
"""

from argparse import ArgumentParser

from yt8m.core.errors import InputError, counted


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("base", nargs="?", default="main", metavar="BASE", help="a branch or commit; default: main")
    parser.add_argument(
        "--check", action="store_true", help="only fail where dvc.lock is stale; needs no data, and runs the stage code"
    )


def run(base: str, check: bool) -> int:
    """Print the review; return 1 where there is nothing to compare.

    Raises:
        InputError: where there is no such commit, a side has no figures, or with `check` the lock is stale.
    """
    if check:
        return fresh()
    from yt8m.review import changes, report, reruns, sides

    old, new = sides.where_left(base), sides.working_tree()
    if obstacles := reruns.obstacles(old, new):
        print(report.refused(old, new, obstacles, changes.params(old.name)), end="")
        return 1
    print(report.compared(old, new, changes.compare(old, new)), end="")
    return 0


def fresh() -> int:
    """Say that the lock is not stale.

    Raises:
        InputError: naming the stages for which it is.
    """
    from yt8m.review.stale import stale_stages

    if stale := stale_stages():
        raise InputError(f"dvc.lock is stale: `dvc repro` would run {counted(list(stale))}")
    print("dvc.lock is what `dvc repro` leaves")
    return 0
