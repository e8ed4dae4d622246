"""The three sizes at which training steps are timed."""

from typing import Any

from benchmarks._common import ROOT, Case
from benchmarks.full_size import NEXTVLAD, NEXTVLAD_RATE
from yt8m.settings.params import load

FAMILIES = ("netvlad", "netrvlad", "netfv", "dbow", "gated_dbow", "gru", "lstm", "nextvlad")
EXPERTS = {"mixtures": 2, "l2": 1e-6}
FACTORS = {"expansion": 2, "reduction": 8, "dropout": 0.5}
POOLED = {"frames": 128, "hidden": 256, **EXPERTS}
CLUSTERS = {"rgb": 32, "audio": 16}
RECURRENT = {"layers": 1, "units": 256, **EXPERTS}
MIDDLE: dict[str, dict[str, Any]] = {
    "netvlad": {"clusters": CLUSTERS, **POOLED},
    "netrvlad": {"clusters": CLUSTERS, **POOLED},
    "netfv": {"clusters": CLUSTERS, **POOLED},
    "dbow": {"clusters": {"rgb": 1024, "audio": 128}, **POOLED},
    "gated_dbow": {"clusters": {"rgb": 512, "audio": 64}, "rank": 128, **POOLED},
    "gru": RECURRENT,
    "lstm": RECURRENT,
    "nextvlad": {"clusters": CLUSTERS, "groups": {"rgb": 8, "audio": 4}, **FACTORS, **POOLED},
}
DEMO_NEXTVLAD = {
    "frames": 16,
    "clusters": {"rgb": 8, "audio": 4},
    "groups": {"rgb": 8, "audio": 4},
    "hidden": 128,
    **FACTORS,
    **EXPERTS,
}


def demo() -> list[Case]:
    """The embedded default's models, on its videos."""
    return _of_file("params.yaml", DEMO_NEXTVLAD, 0.005)


def middle() -> list[Case]:
    """YouTube-8M's videos and classes, and models that two cores train at a bearable pace."""
    train, schema = load(ROOT / "params.yaml").train, load(ROOT / "params/paper.yaml").data.layout
    common: dict[str, Any] = {"batch_size": 16, "learning_rate": 2e-4, "layout": schema, "train": train}
    return [Case(family=family, args=MIDDLE[family], **common) for family in FAMILIES]


def full() -> list[Case]:
    """The paper's models."""
    return _of_file("params/paper.yaml", NEXTVLAD, NEXTVLAD_RATE)


SIZES = {"demo": demo, "middle": middle, "full": full}


def _of_file(path: str, nextvlad: dict[str, Any], learning_rate: float) -> list[Case]:
    """The first model of each family in a parameter file, and NeXtVLAD with NetVLAD's batch."""
    params = load(ROOT / path)
    cases = {"nextvlad": Case.of(params, "nextvlad", nextvlad, params.distill.batch_size, learning_rate)}
    for model in reversed(params.models.values()):
        cases[model.family] = Case.of(params, model.family, model.args, model.batch_size, model.learning_rate)
    return [cases[family] for family in FAMILIES if family in cases]
