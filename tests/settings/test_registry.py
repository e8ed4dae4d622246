import pytest
from pydantic import ValidationError

from tests.pipeline import load_yaml
from tests.records.made import SCHEMA
from yt8m.settings import registry

PAPERS_FAMILIES = {"netvlad", "netfv", "gated_dbow", "dbow", "netrvlad", "gru", "lstm", "moe"}
BAD = {int: [-5, 0, 2.5, "8"], float: [-1.0, "1e-6"], dict: [{}, 5, {"rgb": 8}, {"rgb": 8, "audio": -1}]}


def arguments_in_use() -> dict[str, dict]:
    """The arguments of each family in params.yaml, with clusters for the tests' features."""
    params = load_yaml("params.yaml")
    models = [*params["models"].values(), params["train_moe"], params["distill"]]
    return {model["family"]: model["args"] for model in models}


def test_names():
    assert set(registry.names("models")) >= PAPERS_FAMILIES
    assert {"equal", "per_model", "per_class"} <= set(registry.names("ensembling"))
    assert registry.names("models") == sorted(registry.names("models"))
    assert not any(name.startswith("_") for folder in ("models", "ensembling") for name in registry.names(folder))


@pytest.mark.parametrize("family", registry.names("models"))
def test_every_family_has_a_readable_signature(family):
    fields = registry.arguments(family).model_fields
    assert "momentum" not in fields
    assert all(field.is_required() for field in fields.values())
    assert len(fields) > 1


@pytest.mark.parametrize("family", sorted(PAPERS_FAMILIES))
def test_arguments(family):
    """Those of params.yaml fit; none may lack, none be added, none be of a wrong kind."""
    args = arguments_in_use()[family]
    assert registry.check_arguments(family, SCHEMA, args).model_dump() == args
    for name, value in args.items():
        with pytest.raises(ValidationError, match=name):
            registry.check_arguments(family, SCHEMA, {key: args[key] for key in args if key != name})
        for bad in BAD[type(value)]:
            with pytest.raises(ValueError, match=name):
                registry.check_arguments(family, SCHEMA, args | {name: bad})
    with pytest.raises(ValidationError, match="momentum"):
        registry.check_arguments(family, SCHEMA, args | {"momentum": 0.9})


@pytest.mark.parametrize("name", ["resnet", "__init__", "", "netvlad.py"])
def test_unknown_family(name):
    with pytest.raises(ValueError, match=f"expected one of .*netvlad.*, received '{name}'"):
        registry.check_arguments(name, SCHEMA, {})


def test_unknown_scheme():
    with pytest.raises(ValueError, match=r"expected one of .*per_model.*, received '_adam'"):
        registry.require("ensembling", "_adam")
