"""What decides each stage's result beside its data and parameters: `python -m stages code`.

For every stage a file in `data/code`, `split.txt`; for one that runs models a file for each model, `train/netvlad.txt`.
It lists a digest of each module that the stage's script reaches by imports, comments and docstrings left out, and the
libraries that decide numbers with their versions in the lock of requirements. Stages depend on their file in place of
lists of modules.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import grimp

from stages._places import CODE
from yt8m.core.files import whole
from yt8m.core.source import IDLE, digest, essence
from yt8m.settings import registry
from yt8m.settings.params import STUDENT, Model, Params

LOCKS = (Path("requirements-dev.lock"), Path("requirements.lock"))  # the former has JAX too; else they are alike
ENTRY = "stages.__main__"  # runs every stage
KERAS = "keras"
# Distributions by the package that is imported: those that decide numbers, or how they are stored or drawn.
LIBRARIES = {
    "jinja2": "jinja2",
    "keras": "keras",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
}
BACKENDS = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib")}
# Modules that find others by name, which no import shows.
BUILDS_MODELS = "yt8m.models.building"
FINDS_SCHEMES = "yt8m.ensembling.fitting"


def main(params: Params) -> None:
    """Write all files anew; the graph of imports is made once."""
    code = Code(params.train.backend)
    models = {name: families_of(model) for name, model in params.models.items()}
    own, of = params.distill.own, params.distill.members
    any_of_them = [own] if own else params.models.values()  # whichever is the best
    models[STUDENT] = set[str]().union(*(families_of(model.times(of)) for model in any_of_them))
    shown = (params.evaluate.plain, *params.evaluate.related)
    models |= {member: models[member.split("-")[0]] for member in shown}
    models["train_moe"] = families_of(params.train_moe)
    found = code.of_all_stages(models)
    with whole(CODE) as out:
        out.mkdir(parents=True)
        for stage, lines in found.items():
            path = out / f"{stage}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{len(set().union(*found.values()))} modules and libraries decide {len(found)} results")


def families_of(model: Model) -> set[str]:
    """A model's family, and those that it is made of."""
    return {model.family, *registry.arguments(model.family).model_validate(model.args).parts}


class Code:
    """The project's modules, what they import, and the libraries they stand on.

    Args:
        backend: of Keras.
    """

    def __init__(self, backend: str):
        sys.path.insert(0, str(Path.cwd()))
        self.backend = backend
        self.graph = grimp.build_graph(
            "yt8m", "stages", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
        )
        self.versions = {
            name: version for path in LOCKS for name, version in locked_versions(path.read_text("utf-8")).items()
        }

    def of_all_stages(self, models: Mapping[str, set[str]]) -> dict[str, list[str]]:
        """The lines of each stage's file, by its name; of a stage that runs models, of each of them.

        Args:
            models: the families that each may be of.
        """
        found = {}
        for stage in registry.modules("stages"):
            reached = self.reached(f"stages.{stage}")
            if FINDS_SCHEMES in reached:
                reached = reached.union(*map(self.reached, registry.schemes().values()))
            if BUILDS_MODELS not in reached:
                found[stage] = self.lines(reached)
                continue
            for model, families in models.items():
                networks = (self.reached(f"{registry.families()[family]}.network") for family in families)
                found[f"{stage}/{model}"] = self.lines(reached.union(*networks))
        return found

    def lines(self, modules: Iterable[str]) -> list[str]:
        """A line for each module, with its digest, and for each library, with its version."""
        project = sorted(name for name in modules if name.split(".")[0] in ("yt8m", "stages"))
        libraries = {LIBRARIES[name] for name in modules if name in LIBRARIES}
        lines = [f"{name} {digest_of(name)}" for name in project]
        if KERAS in libraries:
            libraries.update(BACKENDS[self.backend])
            lines.append(f"backend {self.backend}")
        return lines + [f"{name} {self.versions.get(name, 'not in the lock')}" for name in sorted(libraries)]

    def reached(self, module: str) -> frozenset[str]:
        """All modules that importing one executes, and itself; packages count with the modules in them."""
        waiting, seen = {module, ENTRY}, set[str]()
        while waiting:
            current = waiting.pop()
            seen.add(current)
            parts = current.split(".")
            near = {".".join(parts[:end]) for end in range(1, len(parts))}
            if current in self.graph.modules and not self.graph.is_module_squashed(current):
                near |= self.graph.find_modules_directly_imported_by(current)
            waiting |= {name for name in near if name not in seen and not name.startswith(IDLE)}
        return frozenset(seen)


@cache
def digest_of(module: str) -> str:
    """What a module of the project does, in short."""
    base = Path("src" if module.startswith("yt8m") else "") / module.replace(".", "/")
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return digest(essence(path.read_bytes()))


def locked_versions(lock: str) -> dict[str, str]:
    """The versions that a lock of requirements names; where they depend on Python's, all of them."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"(?m)^([a-z0-9._-]+)==([^\s;\\]+)", lock):
        found.setdefault(name, []).append(version)
    return {name: " or ".join(versions) for name, versions in found.items()}
