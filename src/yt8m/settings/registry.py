"""What is found by its name, and listed nowhere else: model families and ensembling schemes.

Keras is not imported here, so that parameters are checked within a moment.
"""

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from yt8m.core.schema import Schema
from yt8m.settings.arguments import Arguments

KERAS = "keras"


def modules(package: str) -> dict[str, str]:
    """The public modules of a package, by their last name: `{name: full name}`."""
    found = iter_modules(import_module(package).__path__)
    return {module.name: f"{package}.{module.name}" for module in found if not module.name.startswith("_")}


@cache
def families() -> dict[str, str]:
    """The model families, by name: the folders of `yt8m.models`."""
    found = sorted(iter_modules(import_module("yt8m.models").__path__), key=lambda module: module.name)
    return {module.name: f"yt8m.models.{module.name}" for module in found if module.ispkg}


@cache
def schemes() -> dict[str, str]:
    """The ensembling schemes, by name: the files of `yt8m.ensembling.paper` and `yt8m.ensembling.beyond`."""
    found = modules("yt8m.ensembling.paper") | modules("yt8m.ensembling.beyond")
    return dict(sorted(found.items()))


def require(known: Mapping[str, str], name: str) -> str:
    """The module of a name.

    Raises:
        ValueError: saying which names there are.
    """
    if name not in known:
        raise ValueError(f"expected one of {list(known)}, received {name!r}")
    return known[name]


def arguments(family: str) -> type[Arguments]:
    """What a family takes as `args`: the class `Arguments` of its package, which imports no Keras.

    Raises:
        ValueError: for an unknown family, and one whose package has no such class or imports Keras.
    """
    try:
        module = require(families(), family)
    except ValueError as error:
        raise ValueError(f"unknown family: {error}") from None
    before = KERAS in sys.modules
    found = getattr(import_module(module), "Arguments", None)
    if (
        KERAS in sys.modules and not before
    ):  # which chooses a backend, and begins its threads, before params.yaml is read
        raise ValueError(f"expected {module} to import no Keras, which its network.py alone may")
    if not (isinstance(found, type) and issubclass(found, Arguments)):
        raise ValueError(f"expected a class Arguments in {module}, a subclass of one in {Arguments.__module__}")
    return found


def check_arguments(family: str, schema: Schema, args: Mapping[str, Any]) -> Arguments:
    """The checked arguments of a family, which must go with the schema.

    Raises:
        ValueError: for an unknown family or a wrong argument (pydantic's ValidationError is one).
    """
    checked = arguments(family).model_validate(dict(args))
    checked.check(schema)
    return checked
