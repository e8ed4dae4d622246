"""The teacher of a finished pipeline, and what a student may be taught in place of its scores: softer, calibrated."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from stages._places import ENSEMBLE, MEMBERS, METRICS
from stages.fit_ensemble import paths
from yt8m.core.files import read_json
from yt8m.ensembling import fitting
from yt8m.scoring import metrics
from yt8m.scoring.predictions import Aligned, Predictions, aligned, concatenate
from yt8m.settings.params import Params

SMALLEST = 1e-6  # of scores whose logits are looked at


def members_of(split: str) -> AbstractContextManager[Aligned]:
    """The members' predictions of a split of the project that this is run in."""
    return aligned(paths(list(read_json(MEMBERS)), split))


def teacher_of(split: str) -> Predictions:
    """The teacher's predictions of a split of the project that this is run in."""
    scheme = teachers_scheme()
    with np.load(ENSEMBLE / "weights.npz") as stored, members_of(split) as members:
        return concatenate(list(fitting.combined(members, stored[scheme], fitting.power(scheme))))


def teacher_out_of_fold(params: Params) -> tuple[Predictions, np.ndarray]:
    """The teacher's predictions of the holdout, each by weights that were learnt without its fold; and the folds, (N,).

    The teacher's own weights know the holdout's labels, and its scores there promise what it does not keep elsewhere.
    """
    settings, scheme = params.ensemble, teachers_scheme()
    with members_of("holdout") as members:
        fold_of = fitting.folds_of(members.ids, settings.folds, settings.seed)
        _, parts = fitting.gather(members, params.data.layout.classes, fold_of, settings.seed)
        weights = [fitting.fit(scheme, part, settings.seed) for part in parts]
        found = [concatenate(list(fitting.combined(members, each, fitting.power(scheme)))) for each in weights]
    own = fold_of, np.arange(len(fold_of))
    indices, scores = np.stack([each.indices for each in found]), np.stack([each.scores for each in found])
    return replace(found[0], indices=indices[own], scores=scores[own]), fold_of


def teachers_scheme() -> str:
    """The scheme whose ensemble is the teacher."""
    scheme: str = read_json(METRICS / "fit_ensemble" / "metrics.json")["teacher"]
    return scheme


def soften(scores: np.ndarray, temperature: float) -> np.ndarray:
    """`sigmoid(logit(score) / temperature)` of scores in [0, 1], whose ends stay."""
    yes, no = scores ** (1 / temperature), (1 - scores) ** (1 / temperature)
    return yes / (yes + no)


def softened(block: Predictions, classes: int, temperature: float) -> Predictions:
    """Stored scores at a temperature."""
    return replace(block, scores=soften(block.scores, temperature))


def filled_up(block: Predictions, classes: int) -> Predictions:
    """Scores of all classes: those outside a video's stored top k count as its smallest stored score instead of 0."""
    scores = np.maximum(block.dense(classes), block.scores.min(axis=1, keepdims=True))
    return Predictions(block.ids, block.labels, *metrics.top_k(scores, classes))


@dataclass(frozen=True)
class Calibration:
    """Platt's: the logit of a score times `slope`, plus `shift`, has the log-odds of a label (1999)."""

    slope: float
    shift: float

    @classmethod
    def of(cls, holdout: Predictions) -> "Calibration":
        """That of scores whose videos had no part in training."""
        correct = metrics.is_label(holdout.indices, holdout.labels).ravel()
        fitted = LogisticRegression(C=np.inf).fit(logits(holdout.scores).reshape(-1, 1), correct)
        return cls(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))

    def __call__(self, block: Predictions) -> Predictions:
        """Predictions whose scores are shares of labels; their order stays."""
        scores = 1 / (1 + np.exp(-(self.slope * logits(block.scores) + self.shift)))
        return replace(block, scores=np.where(block.scores > 0, scores, 0).astype(np.float32))


def logits(scores: np.ndarray) -> np.ndarray:
    """`log(s / (1 - s))`, of scores a little inside (0, 1)."""
    inside = np.clip(scores.astype(np.float64), SMALLEST, 1 - SMALLEST)
    return np.log(inside / (1 - inside))
