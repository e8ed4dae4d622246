"""NeXtVLAD's arguments; docs/full-scale.md has an entry of `models:`."""

from typing import Any

PUBLISHED: dict[str, Any] = {  # Lin, Xiao and Fan, arXiv 1811.05014
    "frames": 300,
    "clusters": {"rgb": 128, "audio": 64},
    "groups": {"rgb": 8, "audio": 4},
    "expansion": 2,
    "hidden": 2048,
    "reduction": 8,
    "pooled_dropout": 0.5,
    "input_dropout": 0.0,
    "dropout": 0.0,
    "mixtures": 2,
    "l2": 1e-6,
}
DEMO = PUBLISHED | {"frames": 16, "clusters": {"rgb": 8, "audio": 4}, "hidden": 128}
