"""Whether the frames that explanations name show what they are named for: `python -m benchmarks.studies.explain`.

Videos are simulated, like the embedded default's and none of them, since the simulator knows which frames show a label.
The student and the ensemble of a finished pipeline say which frames each label comes from: those without which its
score falls most (as `yt8m explain` says it), those without which and their neighbours it does, and those that score
highest alone. Chance is the share of frames that show the label.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from benchmarks.studies import _study
from stages._places import DATA, ENSEMBLE
from yt8m.commands._scoring import of_ensemble, of_model
from yt8m.commands._trained import load, positive
from yt8m.core.files import write_csv
from yt8m.core.schema import Level
from yt8m.explaining.explanation import FRAMES, strongest
from yt8m.explaining.variants import of_frames
from yt8m.records.dataset import Shards
from yt8m.records.tfrecord import write_records
from yt8m.records.videos import Video, encode
from yt8m.report.tables import markdown
from yt8m.scoring.predictions import concatenate
from yt8m.settings.params import STUDENT, Params
from yt8m.simulation.simulator import Simulator

BATCH = 128
TABLE = Path("docs/results/study_explain.csv")
COLUMNS = ("system", "frames", "videos", "first", "first_three", "chance", "gain", "gain_error")


class Way(NamedTuple):
    """How frames are judged.

    Attributes:
        kept: which of a video's frames are kept to judge one of them.
        gain: what the frame brings, of the scores of the whole video (C,) and of what is kept (frames, C).
    """

    kept: Callable[[np.ndarray, int], np.ndarray]
    gain: Callable[[np.ndarray, np.ndarray], np.ndarray]


WAYS = {
    "left out": Way(lambda frames, each: frames[frames != each], lambda whole, kept: whole - kept),
    "left out with neighbours": Way(
        lambda frames, each: frames[abs(frames - each) > 1], lambda whole, kept: whole - kept
    ),
    "alone": Way(lambda frames, each: frames[frames == each], lambda whole, kept: kept),
}


class Filmed(NamedTuple):
    """A simulated video, and which frames show which of its labels, (frames, labels) bool."""

    video: Video
    shows: np.ndarray

    def partly(self) -> np.ndarray:
        """Places of the labels that some frames show and others do not: those that there is something to say of."""
        return np.flatnonzero(self.shows.any(axis=0) & ~self.shows.all(axis=0))

    def hits(self, gains: np.ndarray) -> Iterator[tuple[float, float, float]]:
        """For each label whether the first frame named shows it, how many of the first three do, and of all.

        Args:
            gains: what each frame brings to each class, (frames, C).
        """
        for place in self.partly():
            shows = self.shows[:, place]
            if named := strongest(gains[:, self.video.labels[place]], FRAMES):
                yield float(shows[named[0]]), float(shows[named].mean()), float(shows.mean())

    def variants(self) -> Iterator[Video]:
        """The whole video, and what each way keeps of it for each frame."""
        frames, id = np.arange(self.video.frames), self.video.id
        yield self.video
        for name, way in WAYS.items():
            for each in frames.tolist():
                yield of_frames(self.video, way.kept(frames, each), f"{id}/{name}/{each}")


def main(argv: Sequence[str] | None = None) -> None:
    parser = _study.parser_of("explain")
    parser.add_argument("--videos", type=positive, default=100)
    parser.add_argument("--table", type=Path, default=TABLE, help=f"default: {TABLE}")
    args = parser.parse_args(argv)
    with _study.at(args.project) as params:
        filmed = simulated(params, args.videos)
        rows = [
            (system, name, *figures)
            for system, scores in scored(filmed, params).items()
            for name, figures in judged(filmed, scores).items()
        ]
    write_csv(args.table, COLUMNS, rows)
    print(markdown(COLUMNS, rows))


def simulated(params: Params, count: int) -> list[Filmed]:
    """Videos of more than three frames with a label that only some show; no shard of the data set holds them."""
    (settings, *_), found = params.simulate.values(), list[Filmed]()
    simulator = Simulator(params.data.layout, settings.frame_divisor, settings.seed)
    taken = sum(settings.shards.values()) * settings.videos_per_shard
    for place in range(taken, len(simulator.order)):
        if len(found) == count:
            break
        film = Filmed(*simulator.video(f"explained_{place}", place))
        if film.video.frames > 3 and len(film.partly()):
            found.append(film)
    return found


def scored(filmed: Sequence[Filmed], params: Params) -> dict[str, np.ndarray]:
    """The scores of all variants, one video's after the other's, (V, C), by system."""
    schema = params.data.layout
    with TemporaryDirectory() as work:
        path = Path(work) / "variants.tfrecord"
        write_records(path, (encode(each, Level.FRAME, schema) for film in filmed for each in film.variants()))
        shards = Shards([path], Level.FRAME, schema)
        student, _ = load(DATA / "distill")
        found = {
            STUDENT: of_model(student, shards, BATCH, schema.classes, STUDENT),
            "ensemble": of_ensemble(ENSEMBLE, shards, BATCH),
        }
        return {name: concatenate(list(blocks)).dense(schema.classes) for name, blocks in found.items()}


def judged(filmed: Sequence[Filmed], scores: np.ndarray) -> dict[str, tuple[float, ...]]:
    """How often the frames that are named show the label, by the way they are named.

    Args:
        scores: see `scored`.

    Returns:
        Videos, how often the first frame shows the label and the first three do, chance, what the first has above
        it, and that one's standard error over videos. Of a video it is the mean over its labels for which frames are
        named; a way that names none is left out.
    """
    found: dict[str, list[np.ndarray]] = {name: [] for name in WAYS}
    start = 0
    for film in filmed:
        frames = film.video.frames
        whole, *kept = np.split(scores[start:], [1, *(1 + frames * n for n in range(1, len(WAYS) + 1))])[:-1]
        start += 1 + frames * len(WAYS)
        for (name, way), each in zip(WAYS.items(), kept, strict=True):
            if hits := list(film.hits(way.gain(whole[0], each))):
                found[name].append(np.mean(hits, axis=0))
    return {name: figures(np.array(rows)) for name, rows in found.items() if rows}


def figures(hits: np.ndarray) -> tuple[float, ...]:
    """What `judged` returns, of the means of each video, (videos, 3)."""
    gains = hits[:, 0] - hits[:, 2]
    error = gains.std(ddof=1) / len(hits) ** 0.5
    return len(hits), *hits.mean(axis=0).tolist(), float(gains.mean()), float(error)


if __name__ == "__main__":
    main()
