"""`yt8m predict`: the model's scores, and what it refuses."""

import csv
import gzip
import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.models import tiny
from tests.records import made
from tests.records.made import SCHEMA
from yt8m.cli import main
from yt8m.commands import predict
from yt8m.core.schema import Level
from yt8m.ensembling.ensemble import Ensemble
from yt8m.models import storage
from yt8m.records.batches import Batch, bytes_for
from yt8m.records.tfrecord import read_records, write_records
from yt8m.records.videos import encode
from yt8m.scoring import metrics, submission


def call(trained, pattern, output, *more, level=Level.FRAME):
    words = ["--model", trained(level), "--input", pattern, "--output", output, *more]
    main(["predict", *map(str, words)])


def expected_scores(folder, videos, level):
    """Scores of the model itself, all videos at once."""
    model, _ = storage.load(folder)
    batch = Batch.over(np.empty(bytes_for(len(videos), level, SCHEMA), np.uint8), len(videos), level, SCHEMA)
    for row, video in enumerate(videos):
        batch.put(row, video)
    return tiny.score(model, batch.inputs)


def table(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("top_k", [3, 20])
def test_a_line_holds_the_highest_scores_of_a_video(trained, shards, tmp_path, level, top_k):
    pattern, videos = shards(level)
    call(trained, pattern, tmp_path / "p.csv", "--top-k", top_k, level=level)
    header, *rows = table(tmp_path / "p.csv")
    assert header == ["VideoId", "LabelConfidencePairs"]
    assert [id for id, _ in rows] == [video.id for video in videos]
    for (_, text), scores in zip(rows, expected_scores(trained(level), videos, level), strict=True):
        words = text.split()
        classes, written = [int(word) for word in words[::2]], [float(word) for word in words[1::2]]
        assert len(classes) == min(top_k, SCHEMA.classes)
        assert written == sorted(written, reverse=True)
        np.testing.assert_allclose(written, scores[classes], atol=1e-6)
        np.testing.assert_allclose(written, np.sort(scores)[::-1][:top_k], atol=1e-6)


@pytest.mark.parametrize("level", Level)
def test_predictions_score_as_the_models_scores_do(trained, shards, tmp_path, capsys, level):
    pattern, videos = shards(level)
    call(trained, pattern, tmp_path / "p.csv", "--labels", tmp_path / "l.csv", level=level)
    capsys.readouterr()
    main(["score", str(tmp_path / "p.csv"), str(tmp_path / "l.csv")])
    printed = json.loads(capsys.readouterr().out)
    top = metrics.top_k(expected_scores(trained(level), videos, level), 20)
    assert printed == pytest.approx(metrics.all_metrics(*top, [video.labels for video in videos]), abs=1e-6)
    assert 0 < printed["gap"] < 1


@pytest.mark.parametrize("size", [1, 4, 14, 100])
def test_batches_change_nothing(trained, shards, tmp_path, monkeypatch, size):
    pattern, _ = shards(Level.FRAME)
    call(trained, pattern, tmp_path / "whole.csv")
    monkeypatch.setattr(predict, "BATCH", size)
    call(trained, pattern, tmp_path / "p.csv")
    whole, cut = (submission.read_predictions(tmp_path / name) for name in ("whole.csv", "p.csv"))
    assert cut.ids.tolist() == whole.ids.tolist()
    np.testing.assert_allclose(cut.dense(10), whole.dense(10), atol=1e-6)


def test_several_patterns_are_read_once_each_in_order(trained, shards, tmp_path):
    pattern, videos = shards(Level.FRAME)
    words = ["--model", trained(Level.FRAME), "--output", tmp_path / "p.csv", "--input"]
    main(["predict", *map(str, words), pattern, pattern.replace("*", "s1")])
    assert [id for id, _ in table(tmp_path / "p.csv")[1:]] == [video.id for video in videos]


def test_videos_without_labels_are_predicted(trained, tmp_path):
    """The published test shards have no key for them."""
    video = made.frame_video(np.random.default_rng(0), "v")
    lists = {name: made.feature_list(*map(bytes, rows)) for name, rows in video.features.items()}
    write_records(tmp_path / "x.tfrecord", [made.sequence_example({"id": made.bytes_feature(b"v")}, lists)])
    call(trained, tmp_path / "*.tfrecord", tmp_path / "p.csv", "--labels", tmp_path / "l.csv")
    assert [id for id, _ in table(tmp_path / "p.csv")[1:]] == ["v"]
    assert table(tmp_path / "l.csv")[1:] == [["v", ""]]


def test_names_stand_for_indices(trained, shards, tmp_path):
    pattern, _ = shards(Level.FRAME)
    names = [f"Video  game {index}" for index in range(SCHEMA.classes)]
    (tmp_path / "classes.txt").write_text("\n".join(names) + "\n")
    call(trained, pattern, tmp_path / "p.csv")
    call(trained, pattern, tmp_path / "n.csv", "--names", tmp_path / "classes.txt")
    for (_, indices), (_, named) in zip(table(tmp_path / "p.csv")[1:], table(tmp_path / "n.csv")[1:], strict=True):
        words = indices.split()
        words[::2] = [f"Video_game_{index}" for index in words[::2]]
        assert named == " ".join(words)


# What is refused: one line, nothing written, and what lay there before untouched.


@pytest.fixture
def refused(trained, fails, tmp_path):
    """A function from arguments to the error of `predict`, which has left the folder of its output as it was."""

    def run(*more, level=Level.FRAME, output="out/p.csv"):
        out = tmp_path / "out"
        out.mkdir()
        (out / "p.csv").write_text("before")
        line = fails("predict", "--model", trained(level), "--output", tmp_path / output, *more)
        assert [path.name for path in out.iterdir()] == ["p.csv"]
        assert (out / "p.csv").read_text() == "before"
        return line

    return run


def test_a_pattern_without_a_match(refused, tmp_path):
    pattern = f"{tmp_path}/none*.tfrecord"
    assert refused("--input", pattern) == f"yt8m: {pattern}: expected shards, found no file of that name"


def test_no_tfrecord(refused, tmp_path):
    (tmp_path / "x.tfrecord").write_text("VideoId,LabelConfidencePairs\n")
    assert f"{tmp_path}/x.tfrecord: record 0 at byte 0" in refused("--input", tmp_path / "x.tfrecord")


def test_an_empty_shard(refused, tmp_path):
    (tmp_path / "x.tfrecord").touch()
    assert "x.tfrecord: expected records, received an empty shard" in refused("--input", tmp_path / "x.tfrecord")


def test_a_truncated_shard(refused, shards):
    pattern, _ = shards(Level.FRAME)
    path = Path(pattern.replace("*", "s1"))
    path.write_bytes(path.read_bytes()[:-5])
    line = refused("--input", pattern)
    assert f"{path}: record 6 at byte" in line
    assert "truncated" in line


def test_a_bad_checksum(refused, shards):
    pattern, _ = shards(Level.FRAME)
    path = Path(pattern.replace("*", "s1"))
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert f"{path}: record 6 at byte" in refused("--input", pattern)


def rewrite(pattern, level, schema, **changes):
    """Write shard 1 again with another schema."""
    path = Path(pattern.replace("*", "s1"))
    video = made.make(level, np.random.default_rng(0), "x")
    write_records(path, [*map(bytes, read_records(path)), encode(replace(video, **changes), level, schema)])
    return path


@pytest.mark.parametrize(
    ("level", "renamed", "match"),
    [
        (Level.FRAME, {"features": {"video": 8, "audio": 4}}, "expected 'rgb' among its feature lists, received"),
        (Level.FRAME, {"id_key": "video_id"}, "expected 'id' among its keys, received"),
        (Level.VIDEO, {"mean_prefix": "average_"}, "expected 'mean_rgb' among its features, received"),
    ],
)
def test_another_key(refused, shards, level, renamed, match):
    pattern, _ = shards(level)
    features = made.make(level, np.random.default_rng(0), "x").features
    named = dict(zip(renamed.get("features", features), features.values(), strict=True))
    path = rewrite(pattern, level, SCHEMA.model_copy(update=renamed), features=named)
    line = refused("--input", pattern, level=level)
    assert f"{path}: record 7: {match}" in line


@pytest.mark.parametrize("level", Level)
def test_another_size(refused, shards, level):
    pattern, _ = shards(level)
    dtype = SCHEMA.dtype(level)
    path = rewrite(pattern, level, SCHEMA, features={"rgb": np.ones((1, 9), dtype), "audio": np.ones((1, 4), dtype)})
    line = refused("--input", pattern, level=level)
    assert f"{path}: record 7: " in line
    assert "expected one value of 8 bytes, received sizes [9]" in line or "expected 8 floats, received 9" in line


@pytest.mark.parametrize("level", Level)
def test_the_other_level(refused, shards, level):
    (other,) = set(Level) - {level}
    pattern, _ = shards(other)
    line = refused("--input", pattern, level=level)
    assert f"s0.tfrecord: record 0: expected a {level}-level record, as the model takes, received {other}-level" in line


def test_what_cannot_be_read(refused, tmp_path):
    (tmp_path / "x.tfrecord").symlink_to(tmp_path / "gone")
    assert str(tmp_path / "x.tfrecord") in refused("--input", tmp_path / "*.tfrecord")


@pytest.mark.parametrize("output", ["", "out", "/dev/null"])
def test_an_output_that_is_no_file(refused, shards, output):
    pattern, _ = shards(Level.FRAME)
    assert "expected the path of a file to write" in refused("--input", pattern, output=output)


def test_labels_over_predictions(refused, shards, tmp_path):
    pattern, _ = shards(Level.FRAME)
    line = refused("--input", pattern, "--labels", tmp_path / "out" / ".." / "out" / "p.csv")
    assert "expected another file for --labels" in line


def test_a_full_disk(refused, shards, tmp_path, monkeypatch):
    pattern, _ = shards(Level.FRAME)
    whole = submission.whole

    @contextmanager
    def full(path):
        with whole(path) as partial:
            partial.symlink_to("/dev/full")
            yield partial

    monkeypatch.setattr(submission, "whole", full)
    path = tmp_path / "out" / "p.csv"
    assert refused("--input", pattern) == f"yt8m: [Errno 28] No space left on device: '{path}'"


@pytest.mark.parametrize("count", [9, 11])
def test_names_of_other_classes(refused, shards, tmp_path, count):
    pattern, _ = shards(Level.FRAME)
    (tmp_path / "classes.txt").write_text("name\n" * count)
    line = refused("--input", pattern, "--names", tmp_path / "classes.txt")
    assert line.endswith(f"classes.txt: expected 10 class names, one a line, received {count}, 0 blank")


def test_a_folder_without_a_model(fails, shards, tmp_path):
    pattern, _ = shards(Level.FRAME)
    line = fails("predict", "--model", tmp_path, "--input", pattern, "--output", tmp_path / "p.csv")
    assert line == f"yt8m: {tmp_path}: expected the folder of a trained model, found no model.json in it"


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_damaged_model(trained, fails, shards, tmp_path, name):
    pattern, _ = shards(Level.FRAME)
    for file in trained(Level.FRAME).iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:50])
    line = fails("predict", "--model", tmp_path, "--input", pattern, "--output", tmp_path / "p.csv")
    assert f"{tmp_path}: expected a trained model, received a damaged one" in line
    assert not (tmp_path / "p.csv").exists()


def test_videos_without_ids_are_numbered_where_asked_for(trained, shards, tmp_path, refused):
    """As the VGGish demo writes them: no context at all."""
    for name in ("a.tfrecord", "b-00000-of-00001"):
        videos = [made.frame_video(np.random.default_rng(index), "") for index in range(2)]
        lists = [{key: made.feature_list(*map(bytes, x)) for key, x in video.features.items()} for video in videos]
        write_records(tmp_path / "in" / name, [made.sequence_example({}, each) for each in lists])
    call(trained, tmp_path / "in", tmp_path / "p.csv", "--number")
    assert [id for id, _ in table(tmp_path / "p.csv")[1:]] == ["a:0", "a:1", "b-00000-of-00001:0", "b-00000-of-00001:1"]
    assert "a.tfrecord: record 0: expected 'id' among its keys" in refused("--input", tmp_path / "in")


def test_a_compressed_shard_says_how_it_is_unpacked(shards, tmp_path, refused):
    pattern, _ = shards(Level.FRAME)
    (tmp_path / "x.tfrecord.gz").write_bytes(gzip.compress(Path(pattern.replace("*", "s0")).read_bytes()))
    line = refused("--input", tmp_path / "x.tfrecord.gz")
    assert f"{tmp_path / 'x.tfrecord.gz'}: expected records" in line
    assert line.endswith("compressed with gzip: unpack the file (gunzip -k)")


@pytest.fixture
def ensemble(trained, tmp_path):
    """Two models and weights by class of a scheme that sums square roots, and the folder of it all."""
    folder, families = tmp_path / "made" / "ensemble", ("netvlad", "gru")
    folder.mkdir(parents=True)
    members = {}
    for family in families:
        shutil.copytree(trained(Level.FRAME, family), folder.parent / "finetune" / family)
        members[family] = f"../finetune/{family}"
    weights = np.random.default_rng(0).uniform(-0.1, 1, (2, SCHEMA.classes))
    Ensemble(members=members, scheme="gap", top_k=6).write(folder, {"gap": weights, "equal": 0 * weights})
    return folder, weights


def test_an_ensemble_is_the_weighted_sum_of_what_its_members_keep(ensemble, shards, tmp_path):
    folder, weights = ensemble
    pattern, videos = shards(Level.FRAME)
    main(["predict", "--model", str(folder), "--input", pattern, "--output", str(tmp_path / "p.csv"), "--top-k", "4"])
    total = 0
    for row, name in enumerate(("netvlad", "gru")):
        scores = expected_scores(folder.parent / "finetune" / name, videos, Level.FRAME)
        kept = scores >= np.sort(scores, axis=1)[:, -6:-5]  # the others count as 0
        total = total + weights[row] * np.sqrt(np.where(kept, scores, 0))
    expected = np.sign(total) * total**2
    for (id, text), video, sums in zip(table(tmp_path / "p.csv")[1:], videos, expected, strict=True):
        words = text.split()
        assert (id, len(words)) == (video.id, 8)
        np.testing.assert_allclose(np.array(words[1::2], float), np.sort(sums)[::-1][:4], atol=1e-6)
        np.testing.assert_allclose(np.array(words[1::2], float), sums[np.array(words[::2], int)], atol=1e-6)


def test_an_ensembles_labels_and_names(ensemble, shards, tmp_path):
    pattern, videos = shards(Level.FRAME)
    (tmp_path / "n.txt").write_text("".join(f"class {index}\n" for index in range(SCHEMA.classes)))
    words = ["--model", ensemble[0], "--input", pattern, "--output", tmp_path / "p.csv"]
    main(["predict", *map(str, words), "--labels", str(tmp_path / "l.csv"), "--names", str(tmp_path / "n.txt")])
    assert table(tmp_path / "l.csv")[1:] == [[video.id, " ".join(map(str, video.labels))] for video in videos]
    assert all(text.startswith("class_") for _, text in table(tmp_path / "p.csv")[1:])


def other_scheme(folder):
    path = folder / "ensemble.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"scheme": "none"}))


def member_gone(folder):
    shutil.rmtree(folder.parent / "finetune" / "gru")


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (member_gone, "finetune/gru: expected the folder of a trained model"),
        (lambda folder: (folder / "weights.npz").unlink(), "weights.npz: expected the weights of an ensemble"),
        (
            lambda folder: (folder / "weights.npz").write_bytes(b"PK"),
            "weights.npz: expected the weights of an ensemble",
        ),
        (lambda folder: (folder / "ensemble.json").write_text("{"), "ensemble.json: expected the description"),
        (lambda folder: (folder / "ensemble.json").write_text('{"scheme": "gap"}'), "ensemble.json: expected the desc"),
        (other_scheme, "expected one of the schemes ["),
    ],
    ids=["a member gone", "no weights", "damaged weights", "no JSON", "no members", "an unknown scheme"],
)
def test_a_damaged_ensemble(ensemble, shards, tmp_path, fails, damage, part):
    damage(ensemble[0])
    pattern, _ = shards(Level.FRAME)
    assert part in fails("predict", "--model", ensemble[0], "--input", pattern, "--output", tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


def test_an_ensemble_takes_each_id_once(ensemble, tmp_path, fails):
    for name in ("a", "b"):
        videos = [made.frame_video(np.random.default_rng(0), "same")]
        write_records(tmp_path / "in" / f"{name}.tfrecord", [encode(video, Level.FRAME, SCHEMA) for video in videos])
    line = fails("predict", "--model", ensemble[0], "--input", tmp_path / "in", "--output", tmp_path / "p.csv")
    assert "expected each id once, 1 (same) stand there more often" in line


def test_shards_in_a_bucket(trained, shards, tmp_path, bucket):
    """They are scored as files are, and fetched once."""
    pattern, _ = shards(Level.FRAME)
    url = bucket.copy(Path(pattern).parent)
    texts = []
    for where in (pattern, f"{url}/*.tfrecord"):
        call(trained, where, tmp_path / "p.csv", "--labels", tmp_path / "l.csv")
        texts.append([(tmp_path / name).read_bytes() for name in ("p.csv", "l.csv")])
    assert texts[0] == texts[1]
    assert bucket.server.fetched() == ["s0", "s1"]


@pytest.mark.parametrize("path", ["/none*", "none/x.tfrecord", "/frame.tfrecord"])
def test_a_url_that_cannot_be_read(trained, fails, tmp_path, bucket, path):
    made.write_shard(tmp_path / "set" / "video.tfrecord", Level.VIDEO, 2)
    bucket.write("frame.tfrecord", (tmp_path / "set" / "video.tfrecord").read_bytes())
    words = ["--model", trained(Level.FRAME), "--input", bucket.url + path, "--output", tmp_path / "p.csv"]
    assert fails("predict", *words).startswith(f"yt8m: {bucket.url}{path}: ")
    assert not (tmp_path / "p.csv").exists()
