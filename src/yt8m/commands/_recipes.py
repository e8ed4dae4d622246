"""How an export is called, as a card says it: a paragraph and code that runs in the exported folder as it stands."""

from pathlib import Path
from string import Template

from yt8m.core.quantization import OFFSET, SCALE
from yt8m.core.schema import Level, Schema

SAVEDMODEL = Template("""\
TensorFlow alone loads it. It parses serialized records itself, $records; what it cannot take it refuses with an
`InvalidArgumentError`. `videos.tfrecord` is such a shard:

```python
import tensorflow as tf

serve = tf.saved_model.load(".").signatures["serving_default"]
records = list(tf.data.TFRecordDataset("videos.tfrecord").as_numpy_iterator())
found = {name: values.numpy() for name, values in serve(records=tf.constant(records)).items()}
for id, indices, scores in zip(found["ids"], found["indices"], found["scores"]):
    print(id.decode(), *(f"{index}:{score:.4f}" for index, score in zip(indices, scores)))
```
""")

ONNX = Template("""\
$files: any ONNX runtime loads it, and it takes features that are decoded. A video is its features by name, $video.
Of a feature that a video lacks give zeros, floats, for as many frames as the others have:

```python
import numpy as np
import onnxruntime

FEATURES, FRAMES = $features, $frames


$stored


def batch(videos):
    inputs = {"num_frames": np.array([min(FRAMES, *map(len, video.values())) for video in videos], np.int32)}
    for name, size in FEATURES.items():
        inputs[name] = np.zeros((len(videos), FRAMES, size), np.$dtype)  # and zeros they stay behind a video's frames
        for row, video, frames in zip(inputs[name], videos, inputs["num_frames"]):
            row[:frames] = stored(video[name][:frames])
    return inputs


session = onnxruntime.InferenceSession("model.onnx")
videos = [{name: np.zeros((1, size)) for name, size in FEATURES.items()}]  # in its place yours
indices, scores = session.run(["indices", "scores"], batch(videos))
for row in zip(indices, scores):
    print(*(f"{index}:{score:.4f}" for index, score in zip(*row)))
```
""")
CODES = f"""\
def stored(values):
    # Bytes are codes already; floats become the nearest code, of values from -2 to 2.
    codes = np.clip(np.rint((values + {-OFFSET}) / {SCALE}), 0, 255)
    return values if values.dtype == np.uint8 else codes.astype(np.uint8)"""
MEANS = """\
def stored(values):
    return values.astype(np.float32)"""


def savedmodel(schema: Schema, level: Level) -> str:
    """Of a SavedModel."""
    if level is Level.VIDEO:
        names = ", ".join(f"`{schema.mean_key(name)}`" for name in schema.features)
        return SAVEDMODEL.substitute(records=f"`Example`s with the floats {names}")
    names = ", ".join(f"`{name}`" for name in schema.features)
    return SAVEDMODEL.substitute(
        records=f"`SequenceExample`s with the feature lists {names}, frames of bytes or of floats"
    )


def onnx(schema: Schema, level: Level, folder: Path) -> str:
    """Of an ONNX file, in the folder where it lies."""
    codes = 'frames of bytes (`np.frombuffer(b"".join(frames), np.uint8).reshape(-1, size)`) or of floats'
    frame = level is Level.FRAME
    return ONNX.substitute(
        files=" with ".join(f"`{path.name}`" for path in sorted(folder.iterdir())),
        video=f"(frames, size): {codes}" if frame else "(1, size) floats",
        features=dict(schema.features),
        frames=schema.frames(level),
        stored=CODES if frame else MEANS,
        dtype=schema.dtype(level),
    )
