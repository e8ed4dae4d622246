"""What stages took, and the longest way that is left from each."""

import pytest

from yt8m.scheduling.history import History, by_urgency, remaining_paths
from yt8m.scheduling.progress import duration
from yt8m.scheduling.runner import End, Outcome

GRAPH = {name: frozenset(upstream) for name, upstream in {"a": "", "b": "a", "c": "a", "d": "bc"}.items()}


def test_the_longest_path_from_each_stage():
    assert remaining_paths(GRAPH, {"a": 1, "b": 10, "c": 2, "d": 5}) == {"a": 16, "b": 15, "c": 7, "d": 5}


def test_what_is_outside_of_the_graph_is_done():
    assert remaining_paths({"d": GRAPH["d"]}, {"d": 5}) == {"d": 5}


def test_what_has_the_longest_path_is_first():
    assert by_urgency(GRAPH, {"a": 1, "b": 10, "c": 20, "d": 5}) == ["a", "c", "b", "d"]


def test_of_paths_alike_what_stands_furthest_behind_is_first():
    graph = {
        name: frozenset(upstream) for name, upstream in {"early": "", "a": "", "b": "a", "end": ["early", "b"]}.items()
    }
    assert by_urgency(graph, dict.fromkeys(graph, 1)) == ["a", "b", "early", "end"]


def test_what_takes_no_time_is_still_behind_what_it_depends_on():
    assert by_urgency(GRAPH, dict.fromkeys(GRAPH, 0))[::3] == ["a", "d"]


def test_seconds_are_the_stages_own_or_its_entrys_or_anyones(tmp_path):
    history = History(tmp_path / "history.json")
    assert history.seconds(["x"]) == {"x": 1.0}
    assert not history.knows(["x"])
    for stage, seconds in (("train@a", 10.0), ("train@b", 20.0), ("split", 5.0)):
        history.add(Outcome(stage, End.RAN, seconds, 1000))
    again = History(tmp_path / "history.json")
    assert again.seconds(["train@a", "train@c", "other"]) == {"train@a": 10.0, "train@c": 15.0, "other": 10.0}
    assert again.knows(["train@c", "split"])
    assert not again.knows(["train@c", "other"])
    assert (again.bytes("train@a"), again.bytes("train@c")) == (1000, 0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3600, "1 h 0 min"), (7810, "2 h 10 min")]
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
