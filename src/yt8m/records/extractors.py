"""Which extractor features come from: its folder lies beside the shards, and schemas hold its digest."""

import hashlib
from pathlib import Path

from yt8m.core.errors import InputError

FOLDER, DESCRIPTION, PCA = "extractor", "extractor.json", "_pca.safetensors"


def digest(folder: Path) -> str | None:
    """A hash of all that decides what an extractor gives; None where the folder holds none."""
    if not (folder / DESCRIPTION).is_file():
        return None
    found = hashlib.blake2b(digest_size=16)
    for path in (folder / DESCRIPTION, *sorted(folder.glob(f"*{PCA}"))):
        found.update(hashlib.blake2b(path.read_bytes()).digest())
    return found.hexdigest()


def require(folder: Path, expected: str | None) -> None:
    """Refuse features of another extractor than those that a model or a schema is for.

    Args:
        folder: that an extractor may lie in; where none does, nothing is known.

    Raises:
        InputError: naming both.
    """
    received = digest(folder)
    if received is not None and received != expected:
        raise InputError(
            f"{folder}: expected features of the extractor that the model or schema is for, "
            f"{expected or 'none (not made by yt8m extract)'}, received those of {received}"
        )
