"""How like real videos the simulated ones are, in figures of the features alone: `python -m benchmarks.likeness`.

No model of the pipeline has a part in it. With `--figures` it draws Fig. 1 of both.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from yt8m.core.quantization import dequantize
from yt8m.core.schema import Level, Schema
from yt8m.records.videos import Video, read_videos
from yt8m.report.drawing import save_png
from yt8m.report.embedding import embed
from yt8m.report.maps import embedding_figure
from yt8m.report.tables import markdown
from yt8m.scoring import metrics
from yt8m.settings.loading import load
from yt8m.settings.params import Params
from yt8m.simulation.derive_statistics import REAL
from yt8m.simulation.simulator import STATISTICS, Simulator

NEIGHBOURS, DIRECTIONS, LAGS = (1, 4, 8), (10, 50, 200), (1, 2, 4, 9)
CLASSES, VIDEOS = 8, 40  # of Fig. 1
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
BLOCK = 1000


class Means(NamedTuple):
    """Videos at the video level.

    Attributes:
        x: (V, width) float32, all features beside each other.
        hot: (V, C) bool, the labels.
    """

    x: np.ndarray
    hot: np.ndarray

    @classmethod
    def of(cls, videos: Iterable[Video], classes: np.ndarray) -> Self:
        """Of the videos that have any of the classes, with their labels among these."""
        kept = [video for video in videos if np.isin(video.labels, classes).any()]
        x = [np.concatenate(list(video.means().values())) for video in kept]
        return cls(np.array(x, np.float32), np.array([np.isin(classes, video.labels) for video in kept]))

    def sample(self, count: int, seed: int) -> Self:
        """So many of the videos."""
        chosen = np.random.default_rng(seed).permutation(len(self.x))[:count]
        return type(self)(self.x[chosen], self.hot[chosen])


def likeness(videos: Means, primary: int) -> dict[str, float]:
    """The figures.

    Args:
        primary: the columns of the first feature.
    """
    first = videos.x[:, :primary]
    values = np.linalg.eigvalsh(np.cov(first, rowvar=False))[::-1]
    found = {"labels a video": float(videos.hot.sum(1).mean())}
    found |= {
        f"{nth}. neighbour shares a label": of for nth, of in zip(NEIGHBOURS, shares(first, videos.hot), strict=True)
    }
    found |= {f"the same, all features, {nth}.": of for nth, of in zip(NEIGHBOURS, shares(*videos), strict=True)}
    found["ridge GAP"] = ridge(*videos)
    found |= {f"variance in {n} directions": float(values[:n].sum() / values.sum()) for n in DIRECTIONS}
    return found | {
        "norm": float(np.linalg.norm(first, axis=1).mean()),
        "deviation a dimension": float(first.std(0).mean()),
    }


def shares(x: np.ndarray, hot: np.ndarray) -> list[float]:
    """The share of videos that have a label in common with their n-th neighbour, by cosine of centred features."""
    centred = x - x.mean(0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    common = []
    for start in range(0, len(x), BLOCK):
        likeness = centred[start : start + BLOCK] @ centred.T
        np.put_along_axis(likeness, start + np.arange(len(likeness))[:, None], -np.inf, 1)
        nearest = np.argsort(-likeness, axis=1)[:, np.array(NEIGHBOURS) - 1]
        common.append((hot[start : start + BLOCK, None] & hot[nearest]).any(axis=2))
    return np.concatenate(common).mean(axis=0).tolist()


def ridge(x: np.ndarray, hot: np.ndarray) -> float:
    """GAP@20 on the last fourth of linear least squares on the others, features of length 1, the best penalty's."""
    x, split = x / np.linalg.norm(x, axis=1, keepdims=True), len(x) * 3 // 4
    centre, mean = x[:split].mean(0), hot[:split].mean(0)
    rows, targets = x[:split] - centre, hot[:split] - mean
    gram, product = rows.T @ rows, rows.T @ targets
    labels = [np.flatnonzero(row) for row in hot[split:]]
    scores = (
        (x[split:] - centre) @ np.linalg.solve(gram + penalty * np.eye(len(gram)), product) + mean
        for penalty in PENALTIES
    )
    return max(metrics.gap(*metrics.top_k(each.astype(np.float32), 20), labels) for each in scores)


def within(videos: Iterable[Video], feature: str) -> dict[str, float]:
    """How frames of a video correlate by how far they lie apart, over videos that are long enough; nothing without."""
    frames = [dequantize(video.features[feature]) for video in videos if video.frames > max(LAGS)]
    if not frames:
        return {}
    centre = np.mean([rows.mean(0) for rows in frames], axis=0)
    total = np.mean([((rows - centre) ** 2).mean() for rows in frames])
    return {
        f"frames {lag} apart correlate": float(
            np.mean([((rows[lag:] - centre) * (rows[:-lag] - centre)).mean() for rows in frames]) / total
        )
        for lag in LAGS
    }


def single_labelled(videos: Means) -> tuple[np.ndarray, np.ndarray]:
    """The videos that Fig. 1 shows, and the class of each: of the most frequent labels that stand alone."""
    alone = np.where(videos.hot.sum(1) == 1, videos.hot.argmax(1), -1)
    counts = np.bincount(alone[alone >= 0], minlength=videos.hot.shape[1])
    chosen = np.argsort(-counts, kind="stable")[:CLASSES]
    rows = np.concatenate([np.flatnonzero(alone == label)[:VIDEOS] for label in chosen])
    return rows, alone[rows]


def draw(videos: Means, primary: int, names: Sequence[str], path: Path) -> None:
    """Draw Fig. 1."""
    rows, labels = single_labelled(videos)
    classes = [names[label] for label in labels]
    save_png(embedding_figure(embed(videos.x[rows, :primary]), classes, np.zeros(len(rows), bool)), path)


def simulated(params: Params, seed: int) -> list[Video]:
    """The videos of the first simulated data set, from another seed."""
    settings = next(iter(params.simulate.values()))
    simulator = Simulator(params.data.layout, settings.frame_divisor, seed)
    count = sum(settings.shards.values()) * settings.videos_per_shard
    return [simulator.video(str(place), place)[0] for place in range(count)]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.likeness")
    parser.add_argument("folder", type=Path, help="of YouTube-8M's video-level shards")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="of frame-level shards, for how frames vary")
    parser.add_argument(
        "--frames-params", type=Path, default=Path("params/audioset.yaml"), help="which say their schema"
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="which say what is simulated")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--figures", type=Path, metavar="FOLDER", help="for Fig. 1 of both, of the first seed")
    args = parser.parse_args(argv)
    params, statistics = load(args.params), np.load(STATISTICS)
    classes = statistics["class_index"][: params.data.layout.classes].astype(np.int64)
    real = Means.of(_read(args.folder, Level.VIDEO, REAL), classes)
    columns: dict[str, dict[str, float]] = {}
    for seed in args.seeds:
        videos = simulated(params, seed)
        found, sample = Means.of(videos, np.arange(len(classes))), real.sample(len(videos), seed)
        columns[f"real, sample {seed}"] = likeness(sample, REAL.features["rgb"])
        *_, last = params.data.layout.features
        width = params.data.layout.features[params.data.layout.primary]
        columns[f"simulated, seed {seed}"] = likeness(found, width) | within(videos, last)
        if args.figures and seed == args.seeds[0]:
            names = statistics["class_names"].tolist()
            draw(sample, REAL.features["rgb"], names, args.figures / "likeness_real.png")
            draw(found, width, names, args.figures / "likeness_simulated.png")
    if args.frames:
        schema = load(args.frames_params).data.layout
        columns["real frames"] = within(_read(args.frames, Level.FRAME, schema), schema.primary)
    names = dict.fromkeys(name for column in columns.values() for name in column)
    rows = [[name, *(f"{column[name]:.3f}" if name in column else "" for column in columns.values())] for name in names]
    print(markdown(["", *columns], rows))


def _read(folder: Path, level: Level, schema: Schema) -> Iterator[Video]:
    for path in sorted(folder.glob("*.tfrecord")):
        yield from read_videos(path, level, schema)


if __name__ == "__main__":
    main()
