"""`yt8m families`: the sizes of models without their values."""

import json

import pytest

from tests.pipeline import ROOT
from yt8m.cli import main

# models.md's counts at the paper's sizes (Table 1), trainable and moving statistics; three of them rounded there.
PAPER = {
    "netvlad": 321_541_224,
    "netfv": 321_401_192,
    "gated_dbow": 37.19e6,
    "dbow": 37_358_796,
    "netrvlad": 321_262_696,
    "gru": 52.54e6,
    "lstm": 96_411_180,
}


@pytest.fixture
def rows(capsys):
    def run(file):
        main(["families", "--params", str(ROOT / file), "--json"])
        return {row["model"]: row for row in json.loads(capsys.readouterr().out)}

    return run


def test_the_papers_sizes_have_the_papers_counts(rows):
    found = rows("params/paper.yaml")
    for family, count in PAPER.items():
        for name in (f"{family}_1", f"{family}_2"):
            assert found[name]["family"] == family
            assert found[name]["parameters"] == pytest.approx(count, rel=1e-4 if count % 1e4 == 0 else 0)
    assert found["student"]["parameters"] == 254_415_816
    assert found["student"]["bytes_fp32"] == 4 * 254_415_816
    assert found["netvlad_1"]["bytes_fp16"] == 2 * 321_541_224


def test_what_fits_the_limit_is_said_by_type(rows):
    """2^30 bytes: 1024 hidden units of gated NetVLAD fit in half precision, 800 in single."""
    found = rows("params/paper.yaml")
    assert found["netvlad_1"]["fits"] == ["fp16"]
    assert found["student"]["fits"] == ["fp32", "fp16"]


def test_the_table_holds_every_model_and_the_limit(capsys):
    main(["families", "--params", str(ROOT / "params.yaml")])
    out = capsys.readouterr().out
    for text in ("netvlad_1", "lstm_2", "student", "gated_dbow", "1,073,741,824"):
        assert text in out
    assert "…" not in out


def test_a_missing_file_ends_in_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"yt8m: .*none\.yaml: expected a parameter file, found none"):
        main(["families", "--params", str(tmp_path / "none.yaml")])
