"""Write a trained model as a TensorFlow SavedModel that takes serialized records.

Its signature serving_default takes `records`, a batch of SequenceExamples or Examples as the model's level is, and
gives `ids`, `indices` and `scores`. TensorFlow alone loads it.
"""

from argparse import ArgumentParser
from pathlib import Path

from yt8m.commands._trained import TOP_K, load, positive
from yt8m.core.errors import InputError
from yt8m.core.files import whole
from yt8m.core.startup import starting


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="folder of a trained model")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--top-k", type=positive, default=TOP_K, metavar="K", help=f"default: {TOP_K}")


def run(model: Path, output: Path, top_k: int) -> None:
    """Write the SavedModel.

    Raises:
        InputError: where the backend is not TensorFlow, there is no model, or `output` exists.
        OSError: where it cannot be written.
    """
    with starting():
        import keras
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(f"KERAS_BACKEND: expected tensorflow, which alone writes a SavedModel, received {backend}")
    if output.exists():  # it would be replaced
        raise InputError(f"{output}: expected the path of a new folder, received one that exists")
    net, description = load(model)
    from yt8m.commands._serving import export

    with whole(output) as partial:
        export(net, description.layout, description.level, top_k, partial)
    print(f"{output}: a SavedModel of {description.family}")
