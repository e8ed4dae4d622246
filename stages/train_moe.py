"""Train the video-level MoE on the original or the augmented videos: `python -m stages.train_moe KIND MANIFEST`.

Both make the same number of steps. The last epochs of the augmented videos' model are the original ones, in whose
proportions the classes are scored.
"""

from pathlib import Path

from stages._common import DATA, SPLIT, Params, run
from stages._training import train_model


def main(params: Params, kind: str, manifest: str) -> None:
    original, settings = SPLIT / "train" / "videos.tsv", params.train_moe
    train_model(
        params,
        settings,
        original,
        DATA / "train_moe" / kind,
        "train_moe",
        kind,
        holdout="videos.tsv",
        first=None if Path(manifest) == original else (Path(manifest), settings.epochs - settings.settle),
    )


if __name__ == "__main__":
    run(main)
