"""Make shards of video files: a picture a second through a network, PCA with whitening, and the 8-bit code.

The network is InceptionV3, as for YouTube-8M, another of Keras's, or one of your own; sound is added with a network of
your own. The PCA is fitted on the training videos and kept with the networks beside the shards, in OUTPUT/extractor:
--with takes that one for new videos. What networks have said is kept in OUTPUT.raw, so that a run that was cut off goes
on where it was.
"""

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yt8m.commands import _packing
from yt8m.core.errors import InputError, counted
from yt8m.core.files import whole, write_csv, write_text
from yt8m.core.schema import Level
from yt8m.core.startup import starting
from yt8m.extraction.videos import find
from yt8m.packing.labels import read_labels
from yt8m.packing.pack import Chosen, choose
from yt8m.packing.parameters import read_template
from yt8m.packing.report import summary
from yt8m.records.extractors import FOLDER

if TYPE_CHECKING:
    from yt8m.extraction.extractor import Extractor

BROKEN = "broken.csv"


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("--videos", nargs="+", required=True, metavar="PATH", help="folders, files or patterns")
    _packing.arguments(parser, frames="300")
    parser.add_argument(
        "--network",
        metavar="NAME|FILE",
        help="of keras.applications, or a Keras model or SavedModel; default: InceptionV3",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of a network that is named; default: ImageNet's")
    parser.add_argument("--sound", type=Path, metavar="FILE", help="a network for log-mel patches (96, 64)")
    parser.add_argument("--with", type=Path, dest="kept", metavar="DIR", help="a kept extractor, for new videos")


def run(
    videos: Sequence[str],
    labels: Path | None,
    classes: Path | None,
    output: Path,
    split: Sequence[float] | None,
    split_column: str | None,
    max_frames: int | None,
    params_out: Path | None,
    network: str | None,
    weights: Path | None,
    sound: Path | None,
    kept: Path | None,
) -> None:
    """Write shards, classes, the extractor and the list of broken files below a new folder, then the parameters.

    Raises:
        InputError: where videos, labels, networks or options are not as expected; nothing but `OUTPUT.raw` is written.
    """
    _packing.check(output, labels, classes, split, split_column, params_out)
    if kept and (network or weights or sound or max_frames):
        raise InputError("--with: expected it without --network, --weights, --sound and --max-frames, which it knows")
    if not kept and not labels:
        raise InputError("--labels: expected them, by which training videos are known, or --with an extractor")
    found, known = find(videos), read_labels(labels, classes, split_column) if labels else None
    template = read_template(Level.FRAME) if params_out else None
    wanted = choose(sorted(found), known, split or _packing.SHARES)
    if params_out:
        wanted.require_trainable()
    with starting():
        from yt8m.extraction import extractor as extractors
        from yt8m.extraction.raw import look
        from yt8m.training.devices import make_deterministic
    make_deterministic()
    extractor = extractors.Extractor.read(kept) if kept else extractors.unfitted(network, weights, sound, max_frames)
    raw = output.with_name(f"{output.name}.raw")
    broken = look({id: found[id] for id in wanted.splits}, extractor.networks, extractor.max_frames, raw)
    chosen = wanted.without(broken)
    if params_out:
        chosen.require_trainable()
    with whole(output) as out:
        extractor = extractor if kept else extractor.fitted(raw, chosen.of("train"))
        extractor.save(out / FOLDER)
        format, written = extractors.pack(out / FOLDER, raw, chosen, known, template, out, output)
        if broken:
            write_csv(out / BROKEN, ("id", "file", "reason"), ((id, found[id], why) for id, why in broken.items()))
    if params_out and written.params:
        write_text(params_out, written.params)
    print(f"{output}:", "\n".join(summary(chosen, 0, known, format, written.schema, written.seen)))
    for line in remarks(extractor, kept, raw, chosen, broken, output):
        print(line)


def remarks(
    extractor: "Extractor", kept: Path | None, raw: Path, chosen: Chosen, broken: Mapping[str, str], output: Path
) -> Iterator[str]:
    """What else is worth knowing."""
    from yt8m.extraction.raw import SOUND, silent

    if not kept:
        for name, whitening in extractor.whitenings.items():
            size, directions = whitening.matrix.shape
            yield f"{name}: {directions} directions of {size}, with {whitening.share:.1%} of the variance"
    if SOUND in extractor.networks and (count := silent(raw, chosen.splits)):
        yield f"{count} videos without sound, taken for silent"
    if broken:
        yield f"videos left out that cannot be decoded: {counted(list(broken))}: see {output / BROKEN}"
    yield f"{raw} holds what networks have said: keep it for further videos, or remove it"
