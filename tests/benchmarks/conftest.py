"""A tiny project whose predictions are made up, and measurements in this process."""

from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from benchmarks import _processes
from benchmarks.studies._study import run_stage
from stages._places import CODE, MEMBERS, PREDICTIONS, SPLIT
from yt8m.core.files import read_json, write_text
from yt8m.core.ragged import Ragged
from yt8m.records.dataset import Dataset
from yt8m.scoring.predictions import writer
from yt8m.settings.loading import load

PARAMS = Path(__file__).parents[1] / "params.yaml"


@pytest.fixture
def here(monkeypatch):
    """Functions that would run in processes of their own."""
    monkeypatch.setattr(_processes, "apart", lambda function, *args, **environment: function(*args))


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """As the stages leave it, but for models: the members' predictions are random."""
    root, yaml = tmp_path_factory.mktemp("project"), YAML(pure=True)
    content = yaml.load(PARAMS)
    content["train_moe"]["epochs"] = 4
    yaml.dump(content, root / "params.yaml")
    random = np.random.default_rng(0)
    with chdir(root):
        params = load()
        write_text(CODE / "split.txt", "")
        for stage in (["simulate", "demo"], ["split"], ["members"]):
            run_stage(params, *stage)
        for split in ("train", "extra", "holdout", "test"):
            videos = Dataset(SPLIT / "frames" / f"{split}.tsv", params.data.source)
            (batch,) = videos.batches(videos.size)
            for name in read_json(MEMBERS):
                with writer(PREDICTIONS / split / f"{name}.parquet", params.infer.top_k, videos.schema.classes) as out:
                    scores = 0.2 * batch.labels + 0.8 * random.random(batch.labels.shape)
                    out.write(batch.ids, Ragged.hot(batch.labels), scores)
        run_stage(params, "fit_ensemble")
    return root
