"""Train one model of the ensemble: `python -m stages.train NAME`."""

from stages._common import DATA, SPLIT, Params, run
from stages._training import train_model


def main(params: Params, name: str) -> None:
    train_model(params, params.models[name], SPLIT / "train" / "frames.tsv", DATA / "train" / name, "train", name)


if __name__ == "__main__":
    run(main)
