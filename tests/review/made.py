"""A repository with what a finished run leaves in git: dvc.lock, parameters and figures; no stage has run for it."""

import hashlib
import json
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from yt8m.scoring.predictions import Store

PARAMS: dict[str, Any] = {
    "simulate": {},
    "split": {"patterns": {"test": ["test????"]}},
    "models": {"netvlad": {"args": {"hidden": 8}}, "gru": {"args": {"units": 4}}},
    "sets": {"a": {"seed": 1, "finetune": True}, "b": {"seed": 2, "finetune": True}},
    "evaluate": {"related": ["netvlad-a"]},
    "infer": {"top_k": 20},
    "distill": {"seed": 7},
}
GAPS = {
    "netvlad-a": 0.80,
    "gru-a": 0.70,
    "netvlad-b": 0.81,
    "gru-b": 0.69,
    "moe_original": 0.60,
    "netvlad-a-without": 0.79,
    "mean_of_all": 0.84,
    "gap": 0.85,
    "student": 0.83,
}
TEACHER = "gap"
MEMBERS = [name for name in GAPS if name[-2:] in ("-a", "-b")]


def params(**changes: Any) -> dict[str, Any]:
    """The parameters with others by dotted names, whose dots are written as two underscores."""
    found = deepcopy(PARAMS)
    for name, value in changes.items():
        *path, last = name.split("__")
        section = found
        for key in path:
            section = section[key]
        section[last] = value
    return found


class Repository:
    """Writes states of the project, and commits them.

    Args:
        root: an empty folder.
    """

    def __init__(self, root: Path):
        self.root = root
        self._write("dvc.yaml", {"params": ["params.yaml"]})  # figures that are no metrics to DVC
        self._text(".dvc/config", "[core]\n    analytics = false\n")
        self._text(".gitignore", "/.dvc/tmp\n/.dvc/cache\n")
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> None:
        """Run git."""
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words], cwd=self.root, check=True
        )

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "test")

    def record(
        self,
        params: dict[str, Any],
        gaps: dict[str, float],
        videos: str = "v" * 32,
        error: float = 0.002,
        predictions: dict[str, str] | None = None,
    ) -> None:
        """Write what a run of these parameters would leave, with these figures.

        Args:
            videos: the checksum of the manifests.
            error: the standard error of each GAP.
            predictions: the checksum of a system's predictions, where it has any.
        """
        rows = "".join(f"{name},{gap!r},{error!r}\n" for name, gap in gaps.items())
        self._text("metrics/evaluate/results.csv", f"model,test_gap,gap_error\n{rows}")
        compact = {name: gap for name, gap in gaps.items() if name not in ("mean_of_all", TEACHER)}
        self._json("metrics/evaluate/metrics.json", {"test_gap": {**compact, "ensemble": gaps[TEACHER]}})
        for name in MEMBERS:
            self._json(f"metrics/train/{name}/metrics.json", {"holdout_gap": gaps[name] + 0.01})
        self._write("params.yaml", params)
        self._write("dvc.lock", {"schema": "2.0", "stages": self._stages(params, videos, predictions or {})})

    def cache(self, store: Store) -> str:
        """Put predictions into DVC's cache, and return their checksum."""
        content = store.path.read_bytes()
        sum = hashlib.md5(content).hexdigest()
        path = self.root / ".dvc/cache/files/md5" / sum[:2] / sum[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return sum

    def _stages(self, params: dict[str, Any], videos: str, predictions: dict[str, str]) -> dict[str, Any]:
        def entry(stage: str, names: list[str], deps: list[str], outs: dict[str, str]) -> dict[str, Any]:
            sums = {path: videos if path.startswith("data/split") else json.dumps(params["models"]) for path in deps}
            found = {
                "cmd": f"python -m stages {stage}",
                "deps": [{"path": path, "md5": sum} for path, sum in sums.items()],
                "params": {"params.yaml": {name: _value(params, name) for name in names}},
                "outs": [{"path": path, "md5": sum} for path, sum in outs.items()],
            }
            return {key: value for key, value in found.items() if value}  # DVC takes no empty ones

        measured = ("metrics/evaluate/metrics.json", "metrics/evaluate/results.csv")
        sums = {path: hashlib.md5((self.root / path).read_bytes()).hexdigest() for path in measured}
        stages = {"split": entry("split", ["split"], [], {"data/split": videos})}
        for name in MEMBERS:
            model, _, set = name.partition("-")
            trained = {f"data/train/{name}": json.dumps([params["models"][model], params["sets"][set]])}
            names = [f"models.{model}", f"sets.{set}.seed"]
            stages[f"train@{name}"] = entry("train", names, ["data/split/frames/train.tsv"], trained)
            stored = {f"data/predictions/test/{name}.parquet": predictions[name]} if name in predictions else {}
            stages[f"infer@{name}"] = entry("infer", ["infer"], [], stored)
        manifest = ["data/split/frames/test.tsv"]
        return stages | {
            "distill": entry("distill", ["distill", "models"], ["data/split/frames/train.tsv"], {}),
            "infer_student": entry("infer", ["infer"], manifest, {}),
            "evaluate": entry("evaluate", ["evaluate"], [*manifest], sums),
        }

    def _text(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def _json(self, name: str, value: object) -> None:
        self._text(name, json.dumps(value))

    def _write(self, name: str, value: object) -> None:
        YAML(pure=True).dump(value, self.root / name)


def _value(params: dict[str, Any], name: str) -> Any:
    for key in name.split("."):
        params = params[key]
    return params
