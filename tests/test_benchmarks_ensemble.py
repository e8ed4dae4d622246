"""benchmarks.ensemble, without a look at the clock: what it simulates is what it says, and the stage runs on it."""

import numpy as np
import pytest

from benchmarks import ensemble
from tests.apart import here
from tests.pipeline import ROOT
from yt8m.scoring.predictions import Store

PARAMS = ROOT / "params.yaml"


def test_simulated_models_agree_in_part_and_are_right_as_often_as_they_say():
    models = list(ensemble.simulated(5, 4000, 2, 20, 100, np.random.default_rng(0)))
    for each in models:
        assert each.ids[[0, -1]].tolist() == ["video00000005", "video00004004"]
        assert (np.diff(each.scores, axis=1) <= 0).all()
        assert all(len(set(row)) == 20 for row in each.indices[:50].tolist())
        assert each.indices.max() < 100
    one, other = (each.indices[:, 0] for each in models)
    assert 0.3 < (one == other).mean() < 0.99
    right = [label in labels for label, labels in zip(models[0].indices[:, 0].tolist(), models[0].labels, strict=True)]
    assert np.mean(right) == pytest.approx(models[0].scores[:, 0].mean(), abs=0.15)


def test_the_command(monkeypatch, capsys):
    monkeypatch.setattr(ensemble, "apart", here)
    monkeypatch.setattr(ensemble, "FEW", 40)
    monkeypatch.setattr(ensemble, "SOLVED", 60)
    ensemble.main(["--params", str(PARAMS), "--videos", "50"])
    printed = capsys.readouterr().out
    assert "stage fit_ensemble, 50 videos" in printed
    for line in ("fitting", "the teacher's scores", "per_model", "per_class"):
        assert f"\u2502 {line} " in printed


def test_the_stage_makes_the_teachers_scores(tmp_path):
    given = {"params": str(PARAMS), "folder": str(tmp_path)}
    ensemble.simulate(**given, holdout=40, train=30)
    assert ensemble.run_stage(**given)["memory"] > 0
    assert Store(tmp_path / "data/ensemble/teacher.parquet").size == 30
