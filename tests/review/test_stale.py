"""What of DVC's status makes a lock stale."""

import json

from yt8m.review import stale
from yt8m.scheduling import dvc

STATUS = {
    "absent": [{"changed deps": {"data/x": "deleted"}}, {"changed outs": {"data/y": "not in cache"}}],
    "edited": [{"changed deps": {"data/x": "deleted", "params.yaml": {"models.a": "modified"}}}],
    "new": [{"changed outs": {"data/z": "new"}}],
    "command": ["changed command"],
}


def test_data_that_are_not_at_hand_make_no_lock_stale(monkeypatch):
    asked = []
    monkeypatch.setattr(dvc, "reproduce", lambda *words: asked.append(words))
    monkeypatch.setattr(dvc, "ask", lambda *words: json.dumps(STATUS))
    assert stale.stale_stages() == {"edited": ["models.a"], "new": ["data/z"], "command": ["changed command"]}
    assert asked == [("--single-item", "code")]
