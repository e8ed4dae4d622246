"""`yt8m families`: the sizes of models without their values."""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

from tests.pipeline import ROOT, load_yaml
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


def listed(file, *more):
    """What the command prints."""
    with redirect_stdout(StringIO()) as out:
        main(["families", "--params", str(ROOT / file), *more])
    return out.getvalue()


def rows_of(file):
    return {row["model"]: row for row in json.loads(listed(file, "--json"))}


@pytest.fixture(scope="module")
def papers():
    return rows_of("params/paper.yaml")


@pytest.fixture(scope="module")
def small():
    return rows_of("tests/params.yaml")


def test_the_papers_sizes_have_the_papers_counts(papers):
    for family, count in PAPER.items():
        assert papers[family]["family"] == family
        assert papers[family]["parameters"] == pytest.approx(count, rel=1e-4 if count % 1e4 == 0 else 0)
    assert papers["student"]["parameters"] == 254_415_816
    assert papers["student"]["bytes_fp32"] == 4 * 254_415_816
    assert papers["netvlad"]["bytes_fp16"] == 2 * 321_541_224


def test_what_fits_the_limit_is_said_by_type(papers):
    """2^30 bytes: 1024 hidden units of gated NetVLAD fit in half precision, 800 in single."""
    assert (papers["netvlad"]["fit_fp32"], papers["netvlad"]["fit_fp16"]) == (0, 1)
    assert (papers["student"]["fit_fp32"], papers["student"]["fit_fp16"]) == (1, 2)


def test_a_model_of_all_sets_is_listed_once(small):
    """With the video-level model, whose parameters are counted by hand; the student is the best of the models."""
    assert list(small) == ["netvlad", "lstm", "train_moe"]
    schema = load_yaml("tests/params.yaml")["data"]["schema"]
    inputs, classes, mixtures = sum(schema["features"].values()), schema["classes"], 2
    normalization = 4 * inputs
    gates = inputs * classes * (mixtures + 1)  # one for none of the experts, and no bias
    experts = (inputs + 1) * classes * mixtures
    assert small["train_moe"]["parameters"] == normalization + gates + experts
    for row in small.values():
        assert (row["bytes_fp32"], row["bytes_fp16"]) == (4 * row["parameters"], 2 * row["parameters"])
        assert row["fit_fp32"] * row["bytes_fp32"] <= 2**30 < (row["fit_fp32"] + 1) * row["bytes_fp32"]
        assert row["fit_fp16"] * row["bytes_fp16"] <= 2**30 < (row["fit_fp16"] + 1) * row["bytes_fp16"]


def test_the_table_holds_every_model_and_the_limit(small):
    out = listed("tests/params.yaml")
    for name, row in small.items():
        (line,) = [line for line in out.splitlines() if line.split()[:1] == [name]]
        figures = (f"{row[key]:,}" for key in ("parameters", "bytes_fp32", "bytes_fp16", "fit_fp32", "fit_fp16"))
        assert line.split() == [name, row["family"], *figures]
    assert "1,073,741,824" in out


def test_nothing_is_cut_off_at_the_papers_sizes(papers):
    out = listed("params/paper.yaml")
    assert set(papers) <= set(out.split())
    assert "…" not in out


def test_a_missing_file_ends_in_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"yt8m: .*none\.yaml: expected a parameter file, found none"):
        main(["families", "--params", str(tmp_path / "none.yaml")])


def test_a_student_of_several_is_counted_as_a_whole(tmp_path, papers):
    text = (ROOT / "params/paper.yaml").read_text()
    assert text.count("  members: 1") == 1
    path = tmp_path / "two.yaml"
    path.write_text(text.replace("  members: 1", "  members: 2"))
    student = rows_of(path)["student"]
    assert (student["family"], student["parameters"]) == ("average", 2 * papers["student"]["parameters"])
    assert (student["fit_fp32"], student["fit_fp16"]) == (0, 1)
