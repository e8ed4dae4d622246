"""Print GAP@20, mAP, Hit@1 and PERR of predictions.

Both tables are CSV: VideoId,LabelConfidencePairs as `yt8m predict` writes it, and VideoId,Labels with class indices, as
`yt8m predict --labels` writes it from labelled shards. Classes that a video's line does not name count as score 0.
"""

import json
from argparse import ArgumentParser
from pathlib import Path

from yt8m.scoring.metrics import all_metrics
from yt8m.scoring.predictions import order_of
from yt8m.scoring.submission import SubmissionError, read_labels, read_predictions


def arguments(parser: ArgumentParser) -> None:
    """What the command line takes."""
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS.csv")
    parser.add_argument("labels", type=Path, metavar="LABELS.csv")


def run(predictions: Path, labels: Path) -> None:
    """Print the metrics as JSON.

    Raises:
        InputError: where a table is malformed, the ids differ, or no video has a label.
    """
    true = read_labels(labels)
    if not any(map(len, true.labels)):
        raise SubmissionError(f"{labels}: expected labels, received {len(true.ids)} videos without any")
    predicted = read_predictions(predictions)
    order = order_of(true.ids, predicted.ids, str(labels), str(predictions)).to_numpy()
    print(json.dumps(all_metrics(predicted.indices[order], predicted.scores[order], true.labels), indent=2))
