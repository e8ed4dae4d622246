"""Model families and ensembling schemes by name: each is a file, and nothing else lists them.

Keras is not imported here, so that parameters are checked within a moment.
"""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import pydantic

from yt8m import arguments as shared
from yt8m.arguments import Arguments
from yt8m.schema import Schema

PACKAGE = Path(__file__).parent


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
def arguments(family: str) -> type[Arguments]:
    """The type of the parameter `args` of a family's `build`: a class of `yt8m.arguments` or of the family's file.

    The file is read, not imported, which would import Keras; a class in it may use pydantic and `yt8m.arguments`.
    """
    tree = ast.parse((PACKAGE / "models" / f"{family}.py").read_text(encoding="utf-8"))
    build = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "build")
    name = next(ast.unparse(arg.annotation) for arg in build.args.args if arg.arg == "args" and arg.annotation)
    known = {key: getattr(pydantic, key) for key in pydantic.__all__} | vars(shared)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            exec(ast.unparse(node), known)
    return cast(type[Arguments], known[name])


def check_arguments(family: str, schema: Schema, args: Mapping[str, Any]) -> Arguments:
    """The checked arguments of a family, which must go with the schema.

    Raises:
        ValueError: for an unknown family or a wrong argument (pydantic's ValidationError is one).
    """
    require("models", family)
    checked = arguments(family).model_validate(dict(args))
    checked.check(schema)
    return checked
