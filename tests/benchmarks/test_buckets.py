"""The benchmark of buckets runs on small input, without a look at the clock."""

import os
from contextlib import chdir

import pytest

from benchmarks import buckets


def test_every_way_reads_all(here, project, capsys):
    before = dict(os.environ)
    with chdir(project):
        buckets.main(["--rounds", "1"])
    assert os.environ == before
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    found = {name.strip(): figures for name, *figures in rows if name.strip() in buckets.WAYS}
    assert list(found) == list(buckets.WAYS)
    assert all(float(speed.replace(",", "")) > 0 for speed, *_ in found.values())


def test_without_shards(tmp_path, project):
    with chdir(tmp_path), pytest.raises(SystemExit, match=r"buckets: .*params\.yaml"):
        buckets.main([])
