"""A review as Markdown: the verdict first, then what it stands on, and the rest folded."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from yt8m.core.errors import counted
from yt8m.report.tables import markdown
from yt8m.review import reruns, systems
from yt8m.review.changes import Change, Changes, Diff
from yt8m.review.sides import COMPACT, MEAN, Side
from yt8m.settings.params import STUDENT

MARKER = "<!-- yt8m review -->"  # by which a comment is found again
LABELS = {STUDENT: "student", systems.ENSEMBLE: "best ensemble", MEAN: "mean of all models"}
HEADER = ("old", "new", "change", "noise up to", "verdict")
NONE = "-"


def refused(old: Side, new: Side, obstacles: Sequence[str], params: Diff) -> str:
    """The review of what cannot be compared."""
    verdict = f"**Not comparable** with {old.name[:10]}: {'; '.join(obstacles)}."
    return _joined(MARKER, verdict, _stale(old, new), *_causes(old, new, params))


def compared(old: Side, new: Side, changes: Changes) -> str:
    """The review."""
    gaps = changes.gaps
    models = {name: gaps[name] for name in {**old.results, **new.results} if name in gaps and name not in LABELS}
    same = [name for name, gap in models.items() if gap.verdict == "the same"]
    rows = [_model(name, gap, changes.metrics) for name, gap in models.items() if name not in same]
    known = [name for name in LABELS if name in gaps]
    return _joined(
        MARKER,
        f"**Test GAP: {'; '.join(_verdict(name, gaps[name]) for name in known if name != MEAN)}.** "
        f"Against {old.name[:10]}.",
        _stale(old, new),
        _choices(old, new),
        "### Student and ensembles",
        markdown(("system", *HEADER), [(LABELS[name], *_cells(gaps[name])) for name in known]),
        "### Models",
        markdown(("model", "train", "finetune", *(f"test, {HEADER[0]}", *HEADER[1:])), rows) if rows else "",
        f"The same as before: {', '.join(same)}." if same else "",
        _noise(changes),
        *_causes(old, new, changes.params),
        _rest(old, new, changes.metrics),
    )


def _verdict(name: str, gap: Change) -> str:
    if gap.difference is None:
        return f"{LABELS[name]}: {gap.verdict}"
    change = f"{gap.difference:+.4f}, {gap.verdict}" if gap.difference else "the same"
    return f"{LABELS[name]} {_figure(gap.old)} → {_figure(gap.new)} ({change})"


def _cells(gap: Change) -> tuple[str, ...]:
    moved = gap.difference
    change, bound = (f"{moved:+.4f}", f"{gap.bound:.4f}") if moved else ("", "")
    return _figure(gap.old), _figure(gap.new), change, bound, gap.verdict


def _model(name: str, gap: Change, metrics: Diff) -> tuple[str, ...]:
    """A model's row: what its trainings reach on the holdout, and its test GAP."""
    files = [systems.metrics_of(stage) for stage in systems.model(name).trainings]
    holdouts = [_pair(metrics.get(file, {}).get("holdout_gap", {})) for file in files]
    return (name, *[*holdouts, NONE][:2], *_cells(gap))


def _pair(value: Mapping[str, Any]) -> str:
    old, new = _values(value)
    return new if old == new else f"{old} → {new}"


def _figure(value: object) -> str:
    return NONE if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _noise(changes: Changes) -> str:
    """How noise was decided."""
    moved = [gap for gap in changes.gaps.values() if gap.difference]
    if not moved:
        return ""
    paired = sum(gap.paired for gap in moved)
    errors = f"{paired} of {len(moved)} changes have their error from predictions of both sides, paired"
    if paired < len(moved):
        errors += ", the others from the standard errors in metrics, which are larger"
    spread = changes.spread
    if not spread.freedom:
        return f"{errors}. No two sets differ in the seed alone: how far another seed moves a model is not known."
    return (
        f"{errors}. Another seed moves a training by {spread.deviation:.4f} (standard deviation within "
        f"{spread.freedom} pairs of sets), which counts where something was trained again: `docs/review.md`."
    )


def _stale(old: Side, new: Side) -> str:
    lines = [
        f"> **Stale**: in {side.name[:16]} dvc.lock has recorded other values than there are of {counted(found)}."
        for side in (old, new)
        if (found := side.stale())
    ]
    return "\n".join(lines)


def _choices(old: Side, new: Side) -> str:
    """What the pipeline has chosen otherwise, which figures alone do not show."""
    before, after = old.choices, new.choices
    lines = [
        f"> **Chosen otherwise**: {what}, {before[what]} → {chosen}."
        for what, chosen in after.items()
        if before.get(what, chosen) != chosen
    ]
    return "\n>\n".join(lines)


def _causes(old: Side, new: Side, params: Diff) -> Iterable[str]:
    """Which parameters have changed, and which stages ran again."""
    rows = [
        (f"`{name}`", *(NONE if value.get(side) is None else str(value[side]) for side in ("old", "new")))
        for values in params.values()
        for name, value in values.items()
    ]
    yield "### Parameters"
    yield markdown(("parameter", "old", "new"), rows) if rows else "None has changed."
    stages = defaultdict[tuple[str, ...], list[str]](list)
    for stage, why in reruns.reasons(old, new).items():
        stages[why].append(stage)
    followers = stages.pop((), [])
    lines = [(", ".join(found), ", ".join(f"`{each}`" for each in why)) for why, found in stages.items()]
    yield "### Stages that ran again"
    yield markdown(("stages", "because of"), lines) if lines else "None."
    yield f"And what follows them: {', '.join(followers)}." if followers else ""


def _rest(old: Side, new: Side, metrics: Diff) -> str:
    """All other figures that have changed, folded."""
    rows: list[tuple[str, ...]] = [
        (file, name, *_values(value))
        for file, values in sorted(metrics.items())
        for name, value in sorted(values.items())
        if len(set(_values(value))) == 2 and not (file == str(COMPACT) and name.startswith("test_gap."))
    ]
    for name in [name for name in {**old.results, **new.results} if name not in {**old.gaps, **new.gaps}]:
        pair = [side.results.get(name, {}).get("test_gap") for side in (old, new)]
        if pair[0] != pair[1]:
            rows.append(("metrics/evaluate/results.csv", f"{name}: test_gap", *map(_figure, pair)))
    if not rows:
        return ""
    table = markdown(("file", "figure", "old", "new"), rows)
    return f"<details><summary>{len(rows)} other figures</summary>\n\n{table}\n</details>"


def _values(value: Mapping[str, Any]) -> tuple[str, str]:
    return _figure(value.get("old")), _figure(value.get("new"))


def _joined(*parts: str) -> str:
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"
