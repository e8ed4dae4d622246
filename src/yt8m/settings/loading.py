"""params.yaml, read and checked as a whole before any work starts: a line for each parameter that is wrong."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from yt8m.core.errors import InputError
from yt8m.settings import registry
from yt8m.settings.params import SCHEDULES, STUDENT, SYSTEMS, Data, Model, Params, Split


class ParamsError(InputError):
    """params.yaml is wrong; the message names each parameter, what was expected and what was received."""


def load(path: str | Path = "params.yaml") -> Params:
    """Read and check a parameter file.

    Raises:
        ParamsError: naming every parameter that is wrong.
    """
    return parse(_read(Path(path)), str(path))


def load_data(path: str | Path = "params.yaml") -> tuple[Data, Split] | None:
    """The sections of a data set alone; None where these are wrong, whatever the others are.

    Raises:
        ParamsError: where there is no such file.
    """
    content = _read(Path(path))
    try:
        return Data.model_validate(content["data"]), Split.model_validate(content["split"])
    except (ValidationError, KeyError, TypeError):
        return None


def _read(path: Path) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ParamsError(f"{path}: expected a parameter file, found none") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not YAML: {error}") from None


def parse(content: Any, name: str = "params.yaml") -> Params:
    """Check the content of a parameter file.

    Raises:
        ParamsError: naming every parameter that is wrong.
    """
    if not isinstance(content, dict):
        raise ParamsError(f"{name}: expected sections, received {type(content).__name__}")
    try:
        params = Params.model_validate(content)
    except ValidationError as error:
        raise ParamsError("\n".join(_lines(name, error))) from None
    problems = [*_model_problems(name, params), *_name_problems(name, params), *_member_problems(name, params)]
    if problems:
        raise ParamsError("\n".join(problems))
    return params


def _model_problems(name: str, params: Params) -> list[str]:
    models: dict[str, Model] = {f"models.{key}": model for key, model in params.models.items()}
    problems = []
    models["train_moe"] = params.train_moe
    if student := params.distill.own:
        models["distill"] = student
    for key, model in models.items():
        try:
            registry.arguments(model.family)
        except ValueError as error:
            problems.append(f"{name}: {key}.family: {error}")
            continue
        try:
            registry.check_arguments(model.family, params.data.layout, model.args)
        except ValidationError as error:
            problems += _lines(name, error, f"{key}.args.")
        except ValueError as error:
            problems.append(f"{name}: {key}.args.{error}")
    return problems


def _name_problems(name: str, params: Params) -> list[str]:
    """Names of models and sets under which other scores stand."""
    taken = {*SYSTEMS, STUDENT, *registry.schemes()}
    expected = "expected a name that no ensemble, no scheme and not the student has"
    keys = [("models", key) for key in params.models] + [("sets", key) for key in params.sets]
    return [f"{name}: {section}.{key}: {expected}, received {key!r}" for section, key in keys if key in taken]


def _member_problems(name: str, params: Params) -> list[str]:
    """Members that Table 2 shows and that are not there, or not fine-tuned where that is expected."""
    finetuned = [set for set, settings in params.sets.items() if settings.finetune]
    wanted = [("plain", params.evaluate.plain, list(params.sets), "models")]
    for index, member in enumerate(params.evaluate.related):
        wanted.append((f"related.{index}", member, finetuned, "fine-tuned models"))
    problems = []
    for key, member, sets, which in wanted:
        known = [f"{model}-{set}" for set in sets for model in params.models]
        if member not in known:
            problems.append(f"{name}: evaluate.{key}: expected one of the {which}, {known}, received {member!r}")
    return problems


def _names(location: tuple[int | str, ...]) -> list[str]:
    """The keys that lead to a problem, without what pydantic puts among them."""
    return [
        str(part)
        for before, part in pairwise(("", *location))
        if part != "[key]" and not (before == "schedule" and part in SCHEDULES)
    ]


def _lines(name: str, error: ValidationError, prefix: str = "") -> list[str]:
    """A line for each problem: full name of the parameter, what was expected, what was received."""
    lines = []
    for problem in error.errors(include_url=False):
        key = prefix + ".".join(_names(problem["loc"]))
        if problem["type"] == "extra_forbidden":
            lines.append(f"{name}: {key}: unknown key, received {problem['input']!r}")
        elif problem["type"] == "missing":
            lines.append(f"{name}: {key}: expected a value, received none")
        else:
            expected = problem["msg"].removeprefix("Value error, ")
            if not expected.startswith("expected"):
                expected = "expected " + expected.removeprefix("Input should be ")
            received = "" if "received" in expected else f", received {problem['input']!r}"
            lines.append(f"{name}: {key}: {expected}{received}")
    return lines
