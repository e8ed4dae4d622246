"""`yt8m extract`: the same shards whatever happens on the way, features as training had them, and what it refuses."""

import csv
import hashlib
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.extraction import clips, made
from tests.extraction.clips import Clip
from tests.pipeline import ROOT
from yt8m.cli import main
from yt8m.core.files import remove
from yt8m.core.schema import Level
from yt8m.records.classes import read_class_names
from yt8m.records.videos import read_videos
from yt8m.settings.loading import load

CLIPS = {
    f"v{index}": Clip(colour, background, 2 + index, tone=None if index == 3 else 440.0)
    for index, (colour, background) in enumerate((c, b) for c in clips.COLOURS for b in clips.BACKGROUNDS)
}
SPLITS = ["train", "train", "train", "train", "validate", "validate", "test", "test"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Networks, and videos with their labels."""
    folder = tmp_path_factory.mktemp("own")
    made.networks(folder)
    for id, clip in CLIPS.items():
        clips.render(folder / "videos" / f"{id}.mp4", clip)
    (folder / "videos" / "broken.mp4").write_bytes(b"no video")
    rows = [(id, clip.colour, split) for (id, clip), split in zip(CLIPS.items(), SPLITS, strict=True)]
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "labels", "split"), *rows, ("broken", "red", "train")])
    return folder


def options(folder, output, *more):
    """The words of a command."""
    return [
        *("extract", "--videos", str(folder / "videos"), "--labels", str(folder / "labels.csv")),
        *("--split-column", "split", "--network", str(folder / "pictures.keras")),
        *("--sound", str(folder / "sound.keras"), "--output", str(output), *map(str, more)),
    ]


@pytest.fixture(scope="module")
def extracted(folder, tmp_path_factory):
    """A data set, and what the command said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)  # where templates of parameters are
        output = tmp_path_factory.mktemp("extracted") / "out"
        main(options(folder, output, "--params-out", output.with_name("params.yaml")))
    return output


def digests(output):
    """Of all files."""
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


def videos_of(output, name, schema):
    return list(read_videos(output / "frame" / f"{name}.tfrecord", Level.FRAME, schema))


def test_shards_hold_each_second_of_each_video_with_its_labels(extracted):
    params = load(extracted.with_name("params.yaml"))
    schema = params.data.layout
    names = read_class_names(extracted / "classes.csv")
    assert schema.max_frames == 9
    assert set(schema.features) == {"rgb", "audio"}
    found = {name: videos_of(extracted, f"{name}0000", schema) for name in ("train", "validate", "test")}
    for (id, clip), split in zip(CLIPS.items(), SPLITS, strict=True):
        (video,) = [video for video in found[split] if video.id == id]
        assert video.frames == clip.seconds
        assert [names[label] for label in video.labels] == [clip.colour]
    assert sum(map(len, found.values())) == len(CLIPS)


def test_broken_files_are_listed(extracted):
    with (extracted / "broken.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["id"] == "broken"
    assert "expected a video" in row["reason"]


def test_what_was_found_is_said(folder, tmp_path, capsys):
    main(options(folder, tmp_path / "out"))
    said = capsys.readouterr().out
    assert "8 videos (4 train, 2 validate, 2 test), frame level" in said
    assert "1 videos without sound, taken for silent" in said
    assert "videos left out that cannot be decoded: 1 (broken)" in said
    assert "of the variance" in said


def test_new_videos_get_the_features_that_training_had(folder, extracted, tmp_path):
    one = tmp_path / "one"
    clips.render(one / "v6.mp4", CLIPS["v6"])
    main(["extract", "--videos", str(one), "--with", str(extracted / "extractor"), "--output", str(tmp_path / "new")])
    schema = load(extracted.with_name("params.yaml")).data.layout
    (video,) = videos_of(tmp_path / "new", "test0000", schema)
    (known,) = [video for video in videos_of(extracted, "test0000", schema) if video.id == "v6"]
    for name, values in known.features.items():
        np.testing.assert_array_equal(video.features[name], values)


def test_going_on_after_being_killed_gives_the_same_shards(folder, extracted, tmp_path):
    output = tmp_path / "out"
    command = [sys.executable, "-c", "from yt8m.cli import main; main()", *options(folder, output)]
    drawn, killed = random.Random(0), []
    for wanted in (1, 4, len(CLIPS)):  # videos done
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while done(output) < wanted and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(drawn.random() * 0.02)
        process.kill()
        process.wait()
        killed.append(done(output))
        # Nothing, or all of it where a busy machine let the last kill come too late.
        assert not output.exists() or digests(output) == digests(extracted)
    assert killed[0] < killed[1] <= len(CLIPS)
    remove(output)
    main(options(folder, output))
    assert digests(output) == digests(extracted)


def done(output):
    """The videos of which vectors are kept."""
    return len(list(output.with_name("out.raw").glob("*.npz")))


def test_wrong_options_are_refused_in_one_line(folder, extracted, fails, tmp_path):
    videos, labels, out = folder / "videos", folder / "labels.csv", tmp_path / "out"
    network = ("--network", folder / "pictures.keras")
    new = ("extract", "--videos", videos, "--output", out)
    assert "--labels: expected them" in fails(*new, *network)
    assert "--with: expected it without --network" in fails(*new, "--with", extracted / "extractor", *network)
    assert "expected the folder of an extractor" in fails(*new, "--with", videos)
    nothing = ("extract", "--videos", "nothing", "--labels", labels, "--output", out)
    assert "nothing: expected videos, found none" in fails(*nothing, *network)
    assert "expected a file, a folder or one of" in fails(*new, "--labels", labels, "--network", "Nothing")
    assert "none.keras: expected a network" in fails(*new, "--labels", labels, "--network", tmp_path / "none.keras")
    assert "expected a new folder" in fails(*new[:-1], videos, "--labels", labels, *network)
    assert "expected --labels with them" in fails(*new, *network, "--split-column", "split")
    only_broken = ("extract", "--videos", videos / "broken.mp4", "--labels", labels, "--output", out, *network)
    assert "expected one that can be read, received none of 1: " in fails(*only_broken)
    assert "received others" in fails("extract", "--videos", labels, *only_broken[3:])
    assert not out.exists()


def test_no_training_video_is_refused(folder, fails, tmp_path):
    one = ("extract", "--videos", folder / "videos" / "v7.mp4", "--labels", folder / "labels.csv")
    line = fails(*one, "--split-column", "split", "--network", folder / "pictures.keras", "--output", tmp_path / "out")
    assert "expected training videos, on which the PCA is fitted" in line
    assert not (tmp_path / "out").exists()
