"""What several commands ask of files before any work: of those to write, and of shards for a trained model."""

from pathlib import Path

from yt8m.core.errors import DataError, InputError
from yt8m.core.schema import Level, Schema
from yt8m.records.extractors import FOLDER, require
from yt8m.records.remote import Place
from yt8m.records.shards import level_of


def require_writable(path: Path | None) -> None:
    """Refuse what would be replaced by a file and is none; None is not asked for.

    Raises:
        InputError: naming it.
    """
    if path and path.exists() and not path.is_file():
        raise InputError(f"{path}: expected the path of a file to write, received a folder or a device")


def require_level(path: Place, level: Level) -> None:
    """Refuse a shard of the other level, by its first record.

    Raises:
        DataError: naming the shard.
        RecordError: where the record is damaged.
    """
    received = level_of(path)
    if received is not level:
        raise DataError(
            f"{path}: record 0: expected a {level}-level record, as the model takes, received {received}-level"
        )


def require_extractor(path: Place, schema: Schema) -> None:
    """Refuse a shard beside which another extractor lies than the model is for; of URLs nothing is known.

    Raises:
        InputError: naming both.
    """
    if isinstance(path, Path):
        require(path.parent.parent / FOLDER, schema.extractor)
