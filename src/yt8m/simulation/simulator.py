"""A small data set in YouTube-8M's formats, simulated from statistics of the real one.

What is real: what videos are on average, with their labels (so that neighbours, classes and what goes together are
those of the real ones), what each class adds to the features, the frame counts (scaled). What is modelled: how a
video's frames lie about its mean. It is a sequence of shots; each of its labels shows in a share of the shots, some in
one alone, and shots where none shows are background; a label that shows briefly shows more strongly. Shots and frames
differ as those of real sound do (AudioSet's, 10 seconds each): their noise makes frames of a video correlate by 0.52
one second apart and by 0.34 nine seconds apart, as there. The generator knows nothing of models.

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
from yt8m.core.quantization import dequantize, quantize
from yt8m.core.schema import Level, Schema
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode

STATISTICS = Path(__file__).parent / "statistics" / "youtube8m.npz"
SHOT_FRAMES = 4  # mean length of a shot, in (scaled) frames
BRIEF = 0.3  # share of a video's labels that show in one shot only
SHOWS = 0.6  # share of the shots in which any other label shows
STRONGEST = 3.0  # a label that shows briefly shows at most this much more strongly
CODES = np.array([0, 255], np.uint8)  # the lowest and the highest
CENTRINGS = 3  # until a video has its mean, but for a thousandth
SHOT_NOISE, FRAME_NOISE = 0.8, 1.05  # in units of each dimension's standard deviation between videos


@dataclass(frozen=True)
class Simulator:
    """Simulates videos of a schema.

    Args:
        schema: at most as many classes, features and sizes as the statistics have; fewer take the most
            frequent classes and the first columns.
        frame_divisor: real frame counts are divided by this, rounding up.
        seed: decides which real mean stands at which place, and with its id all else of a video.

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
        """The statistics, restricted to the schema's classes, and where they are of one column each to its features."""
        stored = np.load(STATISTICS)
        found = {name: stored[name] for name in ("codes", "frame_counts")}
        found |= {name: stored[name].astype(np.float32) for name in ("centre", "directions", "rest", "strays")}
        found |= {name: stored[name][..., self._columns].astype(np.float32) for name in ("deviation", "effects")}
        found["squares"] = (found["directions"] ** 2).sum(axis=1)
        found["hot"] = np.unpackbits(stored["hot"], axis=1, count=self.schema.classes).astype(bool)
        return found | {"class_names": stored["class_names"][: self.schema.classes]}

    @cached_property
    def _columns(self) -> np.ndarray:
        sizes = np.load(STATISTICS)["sizes"]
        starts = np.cumsum(sizes) - sizes
        wanted = self.schema.features.values()
        return np.concatenate([start + np.arange(size) for start, size in zip(starts, wanted, strict=False)])

    @cached_property
    def order(self) -> np.ndarray:
        """The real videos that have any of the schema's classes, in the order in which places take them."""
        there = np.flatnonzero(self.statistics["hot"].any(axis=1))
        return np.random.default_rng(self.seed).permutation(there)

    def video(self, id: str, place: int) -> tuple[Video, np.ndarray]:
        """One video at the frame level, and which frames show which of its labels, (frames, labels) bool.

        Args:
            place: in `order`; each has a mean of its own.
        """
        random = np.random.default_rng([self.seed, *id.encode()])
        counts, real = self.statistics["frame_counts"], self.order[place]
        labels = np.flatnonzero(self.statistics["hot"][real]).astype(np.int32)
        seconds = random.choice(len(counts), p=counts / counts.sum())
        length = min(int(np.ceil(seconds / self.frame_divisor)), self.schema.max_frames)
        shot, shows = self._shots(len(labels), length, random)
        codes = quantize(_within(self._frames(labels, shot, shows, random), self._mean(real, random)))
        ends = np.cumsum(list(self.schema.features.values()))[:-1]
        features = dict(zip(self.schema.features, np.split(codes, ends, axis=1), strict=True))
        return Video(id, labels, features), shows[shot]

    def _mean(self, real: int, random: np.random.Generator) -> np.ndarray:
        """A real video's mean, (width,) float32; what the directions leave of it is noise across them, as strong."""
        statistics, directions = self.statistics, self.statistics["directions"]
        noise = statistics["rest"] * random.standard_normal(directions.shape[1], np.float32)
        noise = noise - (directions @ noise / statistics["squares"]) @ directions
        noise = noise * (statistics["strays"][real] / np.linalg.norm(noise))
        found: np.ndarray = statistics["centre"] + statistics["codes"][real] @ directions + noise
        return found[self._columns]

    def _shots(self, labels: int, length: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The shot of each frame, (length,) int, and which labels show in each shot, (shots, labels) bool."""
        begins = random.random(length) < 1 / SHOT_FRAMES
        begins[0] = False
        shot = np.cumsum(begins)
        shots = shot[-1] + 1
        shows = random.random((shots, labels)) < SHOWS
        for column in np.flatnonzero((random.random(labels) < BRIEF) | ~shows.any(0)):
            shows[:, column] = False
            shows[random.integers(shots), column] = True
        return shot, shows

    def _frames(
        self, labels: np.ndarray, shot: np.ndarray, shows: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """How the frames of a video differ, (length, width) float32; see `_shots`."""
        deviation, width = self.statistics["deviation"], self.schema.width
        strength = np.minimum(1 / shows[shot].mean(0), STRONGEST)
        scenes = (shows * strength).astype(np.float32) @ self.statistics["effects"][labels]
        scenes += SHOT_NOISE * deviation * random.standard_normal((len(shows), width), np.float32)
        frames: np.ndarray = scenes[shot] + FRAME_NOISE * deviation * random.standard_normal(
            (len(shot), width), np.float32
        )
        return frames

    def shard(self, name: str, first: int, videos: int) -> Iterator[Video]:
        """The videos of one shard, which begin at a place.

        Raises:
            InputError: where there are no more places.
        """
        if first + videos > len(self.order):
            raise InputError(
                f"simulate: expected at most {len(self.order)} videos in all, so that none comes twice; "
                f"received more at shard {name}"
            )
        for index in range(videos):
            yield self.video(f"{name}_{index:05d}", first + index)[0]


def _within(frames: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Frames that are moved to a mean, as far as the code's range lets them: what is cut off moves the others."""
    for _ in range(CENTRINGS):
        frames = np.clip(frames + (mean - frames.mean(axis=0)), *dequantize(CODES))
    return frames


def simulate(simulator: Simulator, shards: dict[str, int], videos_per_shard: int, out: Path) -> int:
    """Write `frame/NAME0000.tfrecord`, `video/NAME0000.tfrecord`, … and `classes.csv` below `out`.

    Args:
        shards: number of shards by the first part of their names (train, validate, test).

    Returns:
        The number of videos.

    Raises:
        InputError: where these are more than the simulator has.
    """
    schema = simulator.schema
    names = [f"{kind}{index:04d}" for kind, number in shards.items() for index in range(number)]
    for index, name in enumerate(tqdm(names, "simulating", unit="shard", disable=None)):
        videos = list(simulator.shard(name, index * videos_per_shard, videos_per_shard))
        write_records(out / "frame" / f"{name}.tfrecord", (encode(video, Level.FRAME, schema) for video in videos))
        means = (
            replace(video, features={key: value[None] for key, value in video.means().items()}) for video in videos
        )
        write_records(out / "video" / f"{name}.tfrecord", (encode(video, Level.VIDEO, schema) for video in means))
    lines = [f'{index},"{name}"' for index, name in enumerate(simulator.statistics["class_names"])]
    write_text(out / "classes.csv", "\n".join(["index,name", *lines]) + "\n")
    return len(names) * videos_per_shard
