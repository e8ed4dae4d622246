"""benchmarks.study_ensembling: its rows are the schemes' GAPs by weights learnt without a fold."""

import csv
from shutil import copytree

import numpy as np
import pytest

from benchmarks import ensemble, study_ensembling
from tests.pipeline import ROOT
from yt8m import ensembling
from yt8m.scoring import metrics
from yt8m.scoring.predictions import Store
from yt8m.settings import registry
from yt8m.settings.params import load

SETTINGS = load(ROOT / "params.yaml")


@pytest.fixture
def project(tmp_path):
    """The folder of a pipeline that has run, as far as the study reads it."""
    ensemble.simulate(str(ROOT / "params.yaml"), str(tmp_path), holdout=60, train=1)
    copytree(tmp_path / "data/predictions/holdout", tmp_path / "data/predictions/test")
    return tmp_path


def test_rows(project, capsys):
    study_ensembling.main(["--project", str(project), "--output", str(project / "results/table4")])
    with (project / "results/table4.csv").open() as file:
        rows = list(csv.DictReader(file))
    schemes = registry.names("ensembling")
    expected = [(str(n), scheme, str(fold)) for n in (7, 14) for scheme in schemes for fold in range(5)]
    assert [(row["models"], row["scheme"], row["fold"]) for row in rows] == expected
    assert (project / "results/table4.png").stat().st_size > 1000
    stores = [Store(project / f"data/predictions/test/{name}.parquet").read() for name in SETTINGS.models]
    block = ensembling.block_of(stores, SETTINGS.data.layout.classes)
    top = ensembling.highest(block, block.scores.mean(2), 20)
    equal = metrics.gap(top[0], top[1], block.labels)
    found = [float(row["test_gap"]) for row in rows if (row["models"], row["scheme"]) == ("14", "equal")]
    np.testing.assert_allclose(found, equal, atol=1e-6)
    printed = capsys.readouterr().out
    assert f"| 14 models, equal           | {equal:.4f}                       | {equal:.4f} ± 0.0000 |" in printed
