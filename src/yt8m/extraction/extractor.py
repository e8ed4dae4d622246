"""All that makes features of videos, as a folder beside their shards: networks, and a PCA for each.

One extractor must serve training and new videos: the features of another are other numbers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from yt8m.core.errors import InputError
from yt8m.core.files import write_json
from yt8m.extraction import networks
from yt8m.extraction.networks import Network
from yt8m.extraction.raw import PICTURES, SOUND, Frames, file_of
from yt8m.extraction.sound import BANDS, WINDOWS
from yt8m.extraction.whitening import Whitening
from yt8m.packing import data_set
from yt8m.packing.coding import Format
from yt8m.packing.data_set import DataSet
from yt8m.packing.features import ArrayFiles, Feature
from yt8m.packing.labels import Labels
from yt8m.packing.pack import Chosen
from yt8m.records.extractors import DESCRIPTION, PCA, digest

NETWORK, FRAMES = "InceptionV3", 300  # YouTube-8M's
SIZES = {PICTURES: 1024, SOUND: 128}  # directions kept, as YouTube-8M has them


class Saved(BaseModel):
    """A network in the folder: see `Network`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    family: str | None
    digest: str


class Description(BaseModel):
    """What `extractor.json` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_frames: PositiveInt
    networks: dict[str, Saved]


@dataclass(frozen=True)
class Extractor:
    """Networks by feature, the PCAs behind them, and how many frames of a video they see."""

    networks: Mapping[str, Network]
    whitenings: Mapping[str, Whitening]
    max_frames: int

    def fitted(self, folder: Path, ids: Sequence[str]) -> Self:
        """The one whose PCAs fit what the networks have said of training videos.

        Args:
            folder: see `raw.look`.
            ids: of the training videos, in an order that is always the same.

        Raises:
            InputError: naming a feature whose frames are all the same; or where there are no such videos.
        """
        if not ids:
            raise InputError("extract: expected training videos, on which the PCA is fitted, received none")
        whitenings = {}
        for name in self.networks:
            try:
                whitenings[name] = Whitening.fit(Frames(folder, ids, name), SIZES[name])
            except InputError as error:
                raise InputError(f"{name}: {error}") from None
        return replace(self, whitenings=whitenings)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The extractor of a folder.

        Raises:
            InputError: where it holds none, or a damaged one.
        """
        path = folder / DESCRIPTION
        try:
            about = Description.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise InputError(f"{folder}: expected the folder of an extractor, found no {DESCRIPTION} in it") from None
        except (ValidationError, ValueError) as error:
            message = next(iter(str(error).splitlines()), "")
            raise InputError(f"{path}: expected the description of an extractor: {message}") from None
        return cls(
            {name: networks.read(folder / of.file, of.family, of.digest) for name, of in about.networks.items()},
            {name: Whitening.load(folder / f"{name}{PCA}") for name in about.networks},
            about.max_frames,
        )

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        folder.mkdir(parents=True)
        saved = {}
        for name, network in self.networks.items():
            saved[name] = Saved(file=network.save(folder, name), family=network.family, digest=network.digest)
            self.whitenings[name].save(folder / f"{name}{PCA}")
        write_json(folder / DESCRIPTION, Description(max_frames=self.max_frames, networks=saved).model_dump())


def features(extractor: Path, folder: Path, ids: Iterable[str]) -> dict[str, Feature]:
    """What there is to pack of videos at which an extractor's networks have looked.

    Args:
        extractor: its folder.
        folder: see `raw.look`.
        ids: of the videos.
    """
    places = {id: file_of(folder, id) for id in ids}
    return {path.name.removesuffix(PCA): Whitened(places, path) for path in sorted(extractor.glob(f"*{PCA}"))}


@dataclass(frozen=True)
class Whitened(Feature):
    """What a network has said of videos, behind its PCA."""

    places: Mapping[str, Path]
    whitening: Path

    def where(self, id: str) -> str:
        """The file, and the array in it."""
        return self._said.where(id)

    def read(self, id: str) -> np.ndarray:
        """A video's frames, (T, size) float32."""
        return _whitening(self.whitening)(self._said.read(id))

    @property
    def _said(self) -> ArrayFiles:
        return ArrayFiles(self.places, self.whitening.name.removesuffix(PCA))


_whitening = lru_cache(Whitening.load)


def pack(
    extractor: Path, folder: Path, chosen: Chosen, known: Labels | None, template: Any, out: Path, home: Path
) -> tuple[Format, DataSet]:
    """Write the data set of videos at which an extractor's networks have looked.

    Args:
        extractor, folder: see `features`.
        known, template, out, home: see `data_set.write`.
    """
    found = features(extractor, folder, chosen.splits)
    format = Format.of(next(iter(chosen.splits)), found, {}, None)
    return format, data_set.write(found, chosen, known, format, digest(extractor), template, out, home)


def unfitted(network: str | None, weights: Path | None, sound: Path | None, max_frames: int | None) -> Extractor:
    """The beginning of an extractor, without its PCAs.

    Args:
        network: a file, a folder, or a name of `keras.applications`; None: InceptionV3.
        weights: see `networks.named`.
        sound: a network for sound; None: sound is left out.
        max_frames: of a video; None: as many as YouTube-8M's have, 300.

    Raises:
        InputError: where there is none, or it does not take what it is to be given.
    """
    path = Path(network or NETWORK)
    is_file = path.exists() or len(path.parts) > 1 or bool(path.suffix)
    if weights and is_file:
        raise InputError(f"--weights: expected a network of Keras's own with them, received {network}")
    found = {PICTURES: networks.from_file(path) if is_file else networks.named(str(path), weights)}
    if sound:
        found[SOUND] = networks.from_file(sound)
    return Extractor({name: _require_shape(name, of) for name, of in found.items()}, {}, max_frames or FRAMES)


def _require_shape(name: str, network: Network) -> Network:
    shape = network.shape
    if name == PICTURES and not (len(shape) == 3 and shape[2] == 3):
        raise InputError(f"--network: expected one that takes pictures (height, width, 3), received {shape}")
    patch = (WINDOWS, BANDS)
    if name == SOUND and shape not in (patch, (*patch, 1)):
        raise InputError(f"--sound: expected a network that takes patches {patch}, received {shape}")
    return network
