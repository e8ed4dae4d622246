"""What is read of DVC's answers, and the order of the lock."""

import pytest

from tests.pipeline import ROOT, load_yaml
from yt8m.core.errors import InputError
from yt8m.scheduling import dvc

DOT = """strict digraph {
"alone";
"split";
"train@a-b";
"infer@a-b";
"split" -> "train@a-b";
"split" -> "infer@a-b";
"train@a-b" -> "infer@a-b";
}
"""
LOCK = """schema: '2.0'
stages:
  infer@a-b:
    cmd: python -m stages infer
    deps:
    - path: data/split
  removed@x:
    cmd: gone
  split:
    cmd: python -m stages split
  'train@a-b':
    cmd: python -m stages train
"""


def test_the_graph_holds_every_stage_and_what_it_depends_on(monkeypatch):
    monkeypatch.setattr(dvc, "ask", lambda *words: DOT)
    graph = dvc.stage_graph()
    assert graph == {
        "alone": frozenset(),
        "split": frozenset(),
        "train@a-b": {"split"},
        "infer@a-b": {"split", "train@a-b"},
    }
    order = dvc.in_order(graph)
    assert sorted(order) == sorted(graph)
    assert order.index("split") < order.index("train@a-b") < order.index("infer@a-b")


def test_the_graph_of_several_stages_is_that_of_each(monkeypatch):
    """DVC draws that of one at a time."""
    drawn = {"x": '"split";\n"x";\n"split" -> "x";\n', "y": '"x";\n"y";\n"x" -> "y";\n'}
    monkeypatch.setattr(dvc, "ask", lambda dag, dot, target: drawn[target])
    assert dvc.stage_graph(["x", "y"]) == {"split": frozenset(), "x": {"split"}, "y": {"x"}}


def test_the_order_of_a_part_keeps_what_is_outside_of_it_out():
    assert dvc.in_order({"b": frozenset({"a", "outside"}), "a": frozenset()}) == ["a", "b"]


def test_dvc_says_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"dvc dag --dot:\n.*not inside of a DVC repository"):
        dvc.stage_graph()


def test_the_lock_is_put_in_order_and_keeps_its_entries(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dvc.LOCK.write_text(LOCK)
    dvc.order_lock(["split", "train@a-b", "infer@a-b", "not run yet"])
    text = dvc.LOCK.read_text()
    assert [line for line in text.splitlines() if line.startswith("  ") and line[2] != " "] == [
        "  split:",
        "  'train@a-b':",
        "  infer@a-b:",
        "  removed@x:",
    ]
    assert sorted(text.splitlines()) == sorted(LOCK.splitlines())
    dvc.order_lock(["split", "train@a-b", "infer@a-b"])
    assert dvc.LOCK.read_text() == text


def test_stages_that_run_a_model_need_a_gpu(monkeypatch):
    """Those whose digest is one for each model."""
    monkeypatch.chdir(ROOT)
    stages = load_yaml("dvc.yaml")["stages"]
    needs = dvc.needs()
    assert needs.keys() == stages.keys()
    for name, stage in stages.items():
        digest = next((dep for dep in stage.get("do", stage)["deps"] if dep.startswith("data/code/")), "")
        assert needs[name] == ({"GPU": 1} if digest.count("/") == 3 else {}), name
