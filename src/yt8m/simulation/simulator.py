"""A small data set in YouTube-8M's formats, simulated from statistics of the real one.

What is real: the label sets (so frequency and co-occurrence), the mean effect of each class on the features, the
covariance between videos of the same labels, the frame counts (scaled). What is modelled: a video is a sequence
of shots; each of its labels shows in a share of the shots, some in one alone, and shots where none shows are
background; frames within a shot are correlated. A label that shows briefly shows more strongly, so that its mean
effect stays near the real one. The generator knows nothing of models.

Source of the statistics: YouTube-8M (Google, CC BY 4.0), through `yt8m.simulation.derive_statistics`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from tqdm import tqdm

from yt8m.core.errors import InputError
from yt8m.core.files import write_text
from yt8m.core.quantization import quantize
from yt8m.core.schema import Level, Schema
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode

STATISTICS = Path(__file__).parent / "statistics" / "youtube8m.npz"
SHOT_FRAMES = 4  # mean length of a shot, in (scaled) frames
BRIEF = 0.3  # share of a video's labels that show in one shot only
SHOWS = 0.6  # share of the shots in which any other label shows
STRONGEST = 3.0  # a label that shows briefly shows at most this much more strongly
SHOT_NOISE, FRAME_NOISE = 0.45, 0.35  # per dimension, in units of the dequantised features


@dataclass(frozen=True)
class Simulator:
    """Simulates videos of a schema.

    Args:
        schema: at most as many classes, features and sizes as the statistics have; fewer take the most
            frequent classes and the leading principal components.
        frame_divisor: real frame counts are divided by this, rounding up.
        seed: the videos of a shard depend on it and on the shard's name alone.

    Raises:
        InputError: where the schema asks for more than the statistics have.
    """

    schema: Schema
    frame_divisor: float
    seed: int

    def __post_init__(self) -> None:
        statistics = np.load(STATISTICS)
        classes, sizes = len(statistics["class_names"]), statistics["sizes"].tolist()
        wanted = list(self.schema.features.values())
        if self.schema.classes > classes:
            raise InputError(
                f"data.schema.classes: the simulator has {classes} classes, received {self.schema.classes}"
            )
        if len(wanted) > len(sizes) or any(size > most for size, most in zip(wanted, sizes, strict=False)):
            raise InputError(f"data.schema.features: the simulator has sizes up to {sizes}, received {wanted}")

    @cached_property
    def statistics(self) -> dict[str, np.ndarray]:
        """The statistics, restricted to the schema's features and classes."""
        stored = np.load(STATISTICS)
        starts = np.concatenate([[0], np.cumsum(stored["sizes"])])
        columns = np.concatenate(
            [start + np.arange(size) for start, size in zip(starts, self.schema.features.values(), strict=False)]
        )
        return {
            name: stored[name][..., columns].astype(np.float32) for name in ("background", "effects", "style", "rest")
        } | {"frame_counts": stored["frame_counts"], "class_names": stored["class_names"][: self.schema.classes]}

    @cached_property
    def label_sets(self) -> list[np.ndarray]:
        """The real label sets restricted to the schema's classes, none empty."""
        stored = np.load(STATISTICS)
        sets = np.split(stored["sets"], np.cumsum(stored["set_sizes"], dtype=np.int64)[:-1])
        kept = (labels[labels < self.schema.classes] for labels in sets)
        return [labels.astype(np.int32) for labels in kept if len(labels)]

    def video(self, id: str, random: np.random.Generator) -> tuple[Video, np.ndarray]:
        """One video at the frame level, and which frames show which of its labels, (frames, labels) bool."""
        counts = self.statistics["frame_counts"]
        labels = self.label_sets[random.integers(len(self.label_sets))]
        seconds = random.choice(len(counts), p=counts / counts.sum())
        length = min(int(np.ceil(seconds / self.frame_divisor)), self.schema.max_frames)
        shot, shows = self._shots(len(labels), length, random)
        codes = quantize(self._frames(labels, shot, shows, random))
        ends = np.cumsum(list(self.schema.features.values()))[:-1]
        features = dict(zip(self.schema.features, np.split(codes, ends, axis=1), strict=True))
        return Video(id, labels, features), shows[shot]

    def _shots(self, labels: int, length: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The shot of each frame, (length,) int, and which labels show in each shot, (shots, labels) bool."""
        shot = np.cumsum(random.random(length) < 1 / SHOT_FRAMES)
        shots = shot[-1] + 1
        shows = random.random((shots, labels)) < SHOWS
        for column in np.flatnonzero((random.random(labels) < BRIEF) | ~shows.any(0)):
            shows[:, column] = False
            shows[random.integers(shots), column] = True
        return shot, shows

    def _frames(
        self, labels: np.ndarray, shot: np.ndarray, shows: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """The features of a video before quantisation, (length, width) float32; see `_shots`."""
        statistics, width = self.statistics, self.schema.width
        share = shows[shot].mean(0)
        strength = np.minimum(1 / np.maximum(share, 1e-6), STRONGEST)
        style = random.standard_normal(len(statistics["style"]), np.float32) @ statistics["style"]
        style += statistics["rest"] * random.standard_normal(width, np.float32)
        scenes = (shows * strength).astype(np.float32) @ statistics["effects"][labels]
        scenes += SHOT_NOISE * random.standard_normal((len(shows), width), np.float32)
        noise = FRAME_NOISE * random.standard_normal((len(shot), width), np.float32)
        return statistics["background"] + style + scenes[shot] + noise

    def shard(self, name: str, videos: int) -> Iterator[Video]:
        """The videos of one shard."""
        random = np.random.default_rng([self.seed, *name.encode()])
        for index in range(videos):
            yield self.video(f"{name}_{index:05d}", random)[0]


def simulate(simulator: Simulator, shards: dict[str, int], videos_per_shard: int, out: Path) -> int:
    """Write `frame/NAME0000.tfrecord`, `video/NAME0000.tfrecord`, … and `classes.csv` below `out`.

    Args:
        shards: number of shards by the first part of their names (train, validate, test).

    Returns:
        The number of videos.
    """
    schema = simulator.schema
    names = [f"{kind}{index:04d}" for kind, number in shards.items() for index in range(number)]
    for name in tqdm(names, "simulating", unit="shard", disable=None):
        videos = list(simulator.shard(name, videos_per_shard))
        write_records(out / "frame" / f"{name}.tfrecord", (encode(video, Level.FRAME, schema) for video in videos))
        means = (
            replace(video, features={key: value[None] for key, value in video.means().items()}) for video in videos
        )
        write_records(out / "video" / f"{name}.tfrecord", (encode(video, Level.VIDEO, schema) for video in means))
    lines = [f'{index},"{name}"' for index, name in enumerate(simulator.statistics["class_names"])]
    write_text(out / "classes.csv", "\n".join(["index,name", *lines]) + "\n")
    return len(names) * videos_per_shard
