"""Where the tables lie that `evaluate` writes for `report` to show.

Apart from `_places`, since trainings read that: an edit here reruns neither of them.
"""

from stages._places import METRICS

MODELS = METRICS / "evaluate" / "models.csv"
PRECISION_RECALL = METRICS / "evaluate" / "precision_recall.csv"
CALIBRATION = METRICS / "evaluate" / "calibration.csv"
FREQUENCY = METRICS / "evaluate" / "frequency.csv"
BY_CLASS = METRICS / "evaluate" / "classes.csv"
SUMMARY = METRICS / "evaluate" / "summary.json"  # the few figures that `dvc metrics` and `dvc exp show` have
