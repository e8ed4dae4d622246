"""Model families and ensembling schemes by name: each is a file, and nothing else lists them.

Keras is not imported here, so that parameters are checked within a moment.
"""

import ast
import builtins
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict, create_model

from yt8m.schema import Schema

PACKAGE = Path(__file__).parent
COMMON = ("momentum",)  # keyword arguments that every family gets from `train` in params.yaml


def names(folder: str) -> list[str]:
    """What a folder of the package offers: `models` for families, `ensembling` for schemes."""
    return sorted(path.stem for path in (PACKAGE / folder).glob("*.py") if not path.stem.startswith("_"))


def require(folder: str, name: str) -> None:
    """Refuse a name that no file of the folder has.

    Raises:
        ValueError: saying what there is.
    """
    if name not in names(folder):
        raise ValueError(f"expected one of {names(folder)}, received {name!r}")


@cache
def arguments(family: str) -> type[BaseModel]:
    """The keyword arguments of a family's `build` as a pydantic model: the signature is the schema.

    Annotations are builtins and pydantic's types; they are read from the source, not imported.
    """
    tree = ast.parse((PACKAGE / "models" / f"{family}.py").read_text(encoding="utf-8"))
    build = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "build")
    known = vars(builtins) | vars(pydantic) | {name: getattr(pydantic, name) for name in pydantic.__all__}
    fields: dict[str, Any] = {
        argument.arg: (eval(ast.unparse(argument.annotation), known), ...)
        for argument in build.args.kwonlyargs
        if argument.arg not in COMMON and argument.annotation
    }
    return create_model(
        f"{family}_args", __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False), **fields
    )


def check_arguments(family: str, schema: Schema, args: Mapping[str, Any]) -> dict[str, Any]:
    """The checked arguments of a family; those given as a mapping must name exactly the schema's features.

    Raises:
        ValueError: for an unknown family or a wrong argument (pydantic's ValidationError is one).
    """
    require("models", family)
    checked = dict(arguments(family).model_validate(dict(args)))
    for key, value in checked.items():
        if isinstance(value, dict) and set(value) != set(schema.features):
            raise ValueError(f"{key}: expected the features {list(schema.features)}, received {list(value)}")
    return checked
