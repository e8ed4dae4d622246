"""Where things lie: what one stage writes and others read."""

from pathlib import Path

DATA, METRICS = Path("data"), Path("metrics")
CODE = DATA / "code"
SPLIT = DATA / "split"  # manifests: frames/SPLIT.tsv, videos/SPLIT.tsv
CLASSES = SPLIT / "classes.txt"
MEMBERS = DATA / "members.json"
TAUGHT = SPLIT / "frames" / "taught.tsv"  # train and extra: what the student learns from
PREDICTIONS = DATA / "predictions"  # SPLIT/MEMBER.parquet
BESIDE = DATA / "beside"  # predictions of models that are no members: NAME/SPLIT.parquet
MOES = ("moe_original", "moe_augmented")  # of them, by what they were trained on
PLAIN = "plain"  # of them, the model that Table 2 starts from, as it was trained
SCANS = DATA / "scans"  # of shards, so that none is read again; not an output of any stage
STATES = DATA / "states"  # of trainings that were cut off; not an output of any stage
ENSEMBLE = DATA / "ensemble"
TEACHER, EXTRA = ENSEMBLE / "teacher.parquet", ENSEMBLE / "extra.parquet"  # its scores of train and extra
RESULTS = METRICS / "evaluate" / "results.csv"
DIFFERENCES = METRICS / "evaluate" / "differences.csv"
SCORED = METRICS / "fit_ensemble" / "members.csv"
WEIGHTS = METRICS / "fit_ensemble" / "weights.csv"
LABEL_COUNTS = METRICS / "augment" / "label_counts.csv"
