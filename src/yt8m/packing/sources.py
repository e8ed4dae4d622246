"""Which features there are: folders of numpy's files, and Parquet tables."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from yt8m.core.errors import InputError, counted
from yt8m.packing.features import ArrayFiles, Feature
from yt8m.packing.tables import open_table
from yt8m.records.names import below

ENDINGS = (".npy", ".npz", ".parquet")
UNNAMED = "features"  # the feature of a folder of `.npy` without a name


def open_sources(sources: Sequence[str], work: Path) -> dict[str, Feature]:
    """The features of all sources by name, in their order.

    Args:
        sources: `[NAME=]PATH` each. The path is a folder of `.npy` files, a feature; or, without a name, a folder of
            `.npz` files, whose arrays' names are the features', or a Parquet table (a file or a folder of them), whose
            columns' names are.
        work: folder for what tables are unpacked to; not needed any more when all is read.

    Raises:
        InputError: naming the source or the file that is not as expected.
    """
    features: dict[str, Feature] = {}
    for number, text in enumerate(sources):
        name, path = _named(text)
        for key, feature in _open(name, path, work / f"{number}.arrow").items():
            if key in features:
                raise InputError(f"{path}: expected each feature once, received {key!r} again; NAME=FOLDER names one")
            features[key] = feature
    return features


def _named(text: str) -> tuple[str | None, Path]:
    """Name and path of `NAME=PATH`; no name where a path is called so."""
    name, equals, path = text.partition("=")
    return (name, Path(path)) if equals and name and not Path(text).exists() else (None, Path(text))


def _open(name: str | None, path: Path, work: Path) -> dict[str, Feature]:
    ending, files = _files(path)
    if ending == ".npy":
        return {name or UNNAMED: ArrayFiles(by_id(files))}
    if name is not None:
        raise InputError(
            f"{name}={path}: expected a folder of .npy files behind a name; {ending} names its own features"
        )
    if ending == ".parquet":
        return dict(open_table(path, files, work))
    places = by_id(files)
    keys: dict[str, list[str]] = {}
    for id, file in places.items():
        for key in _keys(file):
            keys.setdefault(key, []).append(id)
    return {key: ArrayFiles({id: places[id] for id in keys[key]}, key) for key in sorted(keys)}


def _files(path: Path) -> tuple[str, list[Path]]:
    """The files of a source, sorted, which are of one kind, and their ending."""
    if not path.exists():
        raise InputError(f"{path}: expected features, found no file or folder of that name")
    found = below(path) if path.is_dir() else [path]
    kinds = Counter(file.suffix for file in found if file.suffix in ENDINGS)
    if len(kinds) != 1:
        received = " and ".join(f"{count} {ending}" for ending, count in sorted(kinds.items())) or "none"
        raise InputError(f"{path}: expected files of one of {', '.join(ENDINGS)}, received {received}")
    (ending,) = kinds
    return ending, [file for file in found if file.suffix == ending]


def by_id(files: Sequence[Path]) -> dict[str, Path]:
    """Files by their names without endings.

    Raises:
        InputError: where two are called alike.
    """
    found: dict[str, Path] = {}
    for file in files:
        if (other := found.setdefault(file.stem, file)) is not file:
            raise InputError(f"{file}: expected each id once, received {file.stem!r} again, which {other} is")
    return found


def _keys(file: Path) -> list[str]:
    """The names of the arrays of an `.npz`."""
    try:
        with ZipFile(file) as content:
            return [name.removesuffix(".npy") for name in content.namelist()]
    except BadZipFile as error:
        raise InputError(f"{file}: expected arrays as numpy.savez writes them: {error}") from None


def complete(features: dict[str, Feature], skip: bool) -> tuple[list[str], int]:
    """The ids of the videos that have all features, sorted, and how many are left out.

    Raises:
        InputError: where videos lack a feature that others have, and are not to be skipped; or none would be left.
    """
    ids, missing = set.union(*(set(feature.places) for feature in features.values())), {}
    for name, feature in features.items():
        if lacking := sorted(ids - feature.places.keys()):
            missing[name] = lacking
    if missing and not skip:
        lacks = "; ".join(f"{name!r} is missing for {counted(lacking)}" for name, lacking in missing.items())
        raise InputError(
            f"features: expected each of {len(ids)} videos to have all of {list(features)}, but {lacks}: "
            "--skip-incomplete leaves such videos out"
        )
    left_out = set().union(*missing.values())
    if left_out == ids:
        raise InputError(f"features: expected videos that have all of {list(features)}, received none of {len(ids)}")
    return sorted(ids - left_out), len(left_out)
