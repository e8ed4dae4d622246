"""Model families: a folder each, found by its name (Table 1, and others beyond the paper).

What a family is. `FAMILY/__init__.py` imports no Keras and has a class `Arguments` (a subclass of one in
`yt8m.settings.arguments`): what `args:` of its models in params.yaml takes, so that a typo or a negative size is
refused by name. `FAMILY/network.py` has `build(schema, level, momentum, args) -> keras.Model`, in `keras.ops` and
Keras layers alone. The model

- takes `layers.frames.video_inputs(schema, level)`, by name: stored bytes (or floats) and the number of frames;
- gives class probabilities (B, C), float32;
- calls its output layer `layers.head.OUTPUT` (as `head.experts` and `head.sigmoids` do): label relations act on its
  kernel. A probability gate may follow it;
- names each layer that has weights: weights are stored by name;
- does not look at what lies behind a video's frames, nor at how much of it there is.

`contract.check` holds a family to this before it is trained, and the tests hold all families to more.
"""
