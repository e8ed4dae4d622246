"""Train the video-level MoE on the original or the augmented videos: `python -m stages.train_moe KIND MANIFEST`."""

from pathlib import Path

from stages._common import DATA, Params, run
from stages._training import train_model


def main(params: Params, kind: str, manifest: str) -> None:
    train_model(
        params, params.train_moe, Path(manifest), DATA / "train_moe" / kind, "train_moe", kind, holdout="videos.tsv"
    )


if __name__ == "__main__":
    run(main)
