"""The least-squares problems whose solutions are weights."""

from yt8m.ensembling.moments import Moments

# How much all classes say of each one, in classes. The paper does without, and found weights per class worse than
# one weight a model; Adam's cross-validated GAP on the default data was 0.815 without, 0.874 with 1, 0.893 with 10.
COMMON = 10


def per_model(moments: Moments) -> Moments:
    """One problem for all classes, as if they were one (section 3.3, scheme 2)."""
    return Moments(
        moments.gram.sum(0, keepdims=True),
        moments.cross.sum(0, keepdims=True),
        moments.positives.sum(keepdims=True),
        moments.videos * len(moments.positives),
    )


def per_class(moments: Moments) -> Moments:
    """A problem for each class (scheme 3), drawn to the common weights the more, the less there is of the class.

    To a class's moments are added `COMMON` times those of the mean class. A class without a positive has these alone:
    its own would say no more than that all scores are too high.
    """
    seen = moments.positives > 0
    return Moments(
        moments.gram * seen[:, None, None] + COMMON * moments.gram.mean(0),
        moments.cross + COMMON * moments.cross.mean(0),
        moments.positives + COMMON * moments.positives.mean(),
        moments.videos,
    )
