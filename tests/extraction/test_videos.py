"""Which files are videos, and what they are called."""

import pytest

from yt8m.core.errors import InputError
from yt8m.extraction.videos import find


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_videos_are_those_of_a_folder_by_their_endings(tmp_path):
    touch(tmp_path, "a.mp4", "sub/b.MKV", "sub/deep/c.webm", "notes.txt", ".hidden.mp4", "labels.csv", "two.dots.avi")
    found = find([str(tmp_path)])
    assert list(found) == ["a", "b", "c", "two.dots"]
    assert found["b"] == tmp_path / "sub" / "b.MKV"


def test_a_file_that_is_named_is_a_video_whatever_its_ending(tmp_path):
    touch(tmp_path, "a.mp4", "b.video", "c.mp4", "[x].mp4")
    assert list(find([f"{tmp_path}/b.video", f"{tmp_path}/c*"])) == ["b", "c"]
    assert list(find([f"{tmp_path}/[x].mp4"])) == ["[x]"]


def test_what_holds_none_and_what_is_called_alike_is_refused(tmp_path):
    touch(tmp_path, "a.mp4", "sub/a.avi", "text/notes.txt")
    with pytest.raises(InputError, match="text: expected videos, found none"):
        find([f"{tmp_path}/text"])
    with pytest.raises(InputError, match="missing: expected videos, found none"):
        find([f"{tmp_path}/a.mp4", f"{tmp_path}/missing"])
    with pytest.raises(InputError, match=r"a\.avi: expected each id once, received 'a' again"):
        find([str(tmp_path)])
