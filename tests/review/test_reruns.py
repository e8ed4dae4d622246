"""Why stages ran again, and what cannot be compared."""

from tests.review.made import GAPS, Repository, params
from yt8m.review import reruns
from yt8m.review.sides import where_left, working_tree


def both(root, monkeypatch, **changes):
    """A commit, and a working tree with other parameters."""
    monkeypatch.chdir(root)
    repository = Repository(root)
    repository.record(params(), GAPS)
    repository.commit()
    repository.record(params(**changes), GAPS)
    return where_left("main"), working_tree()


def test_a_stage_ran_for_its_own_parameters_or_follows_another(tmp_path, monkeypatch):
    found = reruns.reasons(*both(tmp_path, monkeypatch, sets__b__seed=5))
    assert found == {"train@netvlad-b": ("sets.b.seed",), "train@gru-b": ("sets.b.seed",)}


def test_new_stages_are_called_so_and_entries_of_removed_ones_are_none(tmp_path, monkeypatch):
    old, new = both(tmp_path, monkeypatch)
    lock = (tmp_path / "dvc.lock").read_text()
    for name, seen in (("more@x", True), ("train@gone-a", False), ("train_on@netvlad-b", False), ("simulate@x", False)):
        (tmp_path / "dvc.lock").write_text(f"{lock}  {name}:\n    cmd: x\n")
        assert reruns.reasons(old, working_tree()) == ({name: ("new",)} if seen else {})
    assert reruns.changed(old, new) == []


def test_the_same_videos_and_classes_are_no_obstacle(tmp_path, monkeypatch):
    old, new = both(tmp_path, monkeypatch, distill__seed=8)
    assert reruns.obstacles(old, new) == []
