"""What is wrong with what the project was given, rather than with the project."""

from collections.abc import Sequence


class InputError(ValueError):
    """Parameters, data or predictions are not what they should be; a command ends with this message alone."""


class DataError(InputError):
    """A data set is not what the parameters say of it."""


def counted(items: Sequence[object], between: str = ", ") -> str:
    """How many there are, and the first three of them, for a message: `4 (a, b, c, …)`."""
    if not len(items):
        return "0"
    return f"{len(items)} ({between.join(map(str, items[:3]))}{f'{between}…' if len(items) > 3 else ''})"
