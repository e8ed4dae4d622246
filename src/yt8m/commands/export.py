"""Write a trained model or an ensemble as a TensorFlow SavedModel, or as an ONNX file, with a model card.

The SavedModel's signature serving_default takes `records`, a batch of SequenceExamples or Examples as the model's level
is, and gives `ids`, `indices` and `scores`. TensorFlow alone loads it. The ONNX file takes decoded features and gives
`indices` and `scores`; any ONNX runtime loads it. The card, README.md, says how both are called.
"""

from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

from yt8m.commands import _card
from yt8m.commands._subject import read
from yt8m.commands._trained import TOP_K, positive
from yt8m.core.errors import InputError
from yt8m.core.files import whole
from yt8m.core.startup import starting

FORMATS = {"savedmodel": "a SavedModel", "onnx": "an ONNX file"}


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="folder of a trained model, or data/ensemble"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--format", choices=FORMATS, default="savedmodel", help="default: savedmodel")
    parser.add_argument("--top-k", type=positive, default=TOP_K, metavar="K", help=f"default: {TOP_K}")


def run(model: Path, output: Path, format: str, top_k: int) -> None:
    """Write the model in a format, and its card.

    It gives as many classes as `top_k`, but not more than there are, nor than an ensemble's members keep.

    Raises:
        InputError: where the backend is not TensorFlow, packages for the format are missing, there is no model, a part
            of it is damaged, or `output` exists.
        OSError: where it cannot be written.
    """
    with starting():
        import keras
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(
            f"KERAS_BACKEND: expected tensorflow, which alone writes {FORMATS[format]}, received {backend}"
        )
    if output.exists():  # it would be replaced
        raise InputError(f"{output}: expected the path of a new folder, received one that exists")
    if format == "onnx":
        require_onnx()
    subject = read(model, float32=format == "onnx")  # runtimes have few operations in bfloat16
    if format == "onnx":
        from yt8m.commands._onnx import export
    else:
        from yt8m.commands._serving import export
    top_k = min(top_k, subject.top_k)
    with whole(output) as partial:
        export(subject.model, subject.schema, subject.level, top_k, partial)
        (partial / "README.md").write_text(_card.text(subject, format, top_k, partial), encoding="utf-8")
    print(f"{output}: {FORMATS[format]} of {subject.title}")


def require_onnx() -> None:
    """Refuse where what writes ONNX is not installed.

    Raises:
        InputError: naming the extra.
    """
    try:
        for name in ("onnx", "tf2onnx"):
            import_module(name)
    except ImportError as error:
        raise InputError(f'--format onnx: expected what `pip install "yt8m[onnx]"` installs: {error}') from None
