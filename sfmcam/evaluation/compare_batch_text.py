"""A folder of comparisons as cells of text."""

from __future__ import annotations

from sfmcam.evaluation.compare_batch import Batch, ClipRow, ClipStatus, Summary
from sfmcam.evaluation.compare_text import ALIGNED_BY, number
from sfmcam.evaluation.leaderboard_text import NOTHING, TextTable

MAX_NAMED = 3  # clips that a note names
# column -> the figure that it shows
COLUMNS = {
    "RotErr\nrad": "RotErr",
    "TransErr\n": "TransErr",
    "CamMC\n": "CamMC",
    "RotErr\nper frame": "RotErr_mean",
    "APE rmse\nref. unit": "APE_rmse",
    "APE\nrelative": "APE_relative",
    "RPE trans\nref. unit": "RPE_trans_rmse",
    "RPE rot\ndeg": "RPE_rot_rmse_deg",
    "RRE\ndeg": "RRE_mean_deg",
    "direction\ndeg": "direction_mean_deg",
    "AUC\n5 deg": "AUC_5",
    "AUC\n20 deg": "AUC_20",
    "focal\n%": "focal_median_percent",
}


def batch_heading(batch: Batch) -> tuple[str, ...]:
    """Return what was compared, how, and how much of it was answered, a line each."""
    rate = f"{100 * batch.success_rate:.1f} %" if batch.num_clips else "undefined"
    covered = (
        f"; {100 * batch.coverage:.1f} % of the frames of all clips, a clip without an answer counting as none" if batch.num_clips else ""
    )
    paired = "by time" if batch.options.pairing.value == "time" else "by their number"
    return (
        f"{'estimates':<10} {batch.estimates}",
        f"{'references':<10} {batch.references}",
        f"{'compared':<10} clip by clip, frames paired {paired}, aligned by {ALIGNED_BY[batch.options.alignment.value]}",
        f"{'success':<10} {rate}: {len(batch.answered)} of {batch.num_clips} clips answered{covered}",
    )


def batch_table(batch: Batch) -> TextTable:
    """One row per clip, and below them mean, median and number of clips over those that were answered."""
    rows = [_row(row) for row in batch.rows if row.status is not ClipStatus.NO_REFERENCE]
    summaries = batch.summaries()
    if summaries:
        rows += [
            ("mean", *_of_summaries(summaries, "mean")),
            ("median", *_of_summaries(summaries, "median")),
            ("clips", "", *(str(summaries[key].num_clips) for key in COLUMNS.values())),
        ]
    return TextTable("", ("clip", "frames", *COLUMNS), tuple(rows))


def reason_lines(batch: Batch) -> tuple[str, ...]:
    """Return why clips have no figures, a line each, and what to know of those that have: a line per note, with its clips."""
    reasons = [f"{row.clip}: {row.status.value.replace('_', ' ')}: {row.reason}" for row in batch.rows if row.reason]
    noted: dict[str, list[str]] = {}
    for row in batch.rows:
        for note in row.compared.notes if row.compared is not None else ():
            noted.setdefault(note, []).append(row.clip)
    return (*reasons, *(f"note on {_some(clips)}: {note}" for note, clips in noted.items()))


def _some(clips: list[str]) -> str:
    named = ", ".join(clips[:MAX_NAMED])
    return named if len(clips) <= MAX_NAMED else f"{named} and {len(clips) - MAX_NAMED} more"


def _row(row: ClipRow) -> tuple[str, ...]:
    if row.compared is None:
        return (row.clip, row.status.value.replace("_", " "), *([NOTHING] * len(COLUMNS)))
    result = row.compared.result
    figures = result.figures
    return (row.clip, f"{len(result.pairs)}/{result.num_reference}", *(number(figures[key]) for key in COLUMNS.values()))


def _of_summaries(summaries: dict[str, Summary], statistic: str) -> tuple[str, ...]:
    return ("", *(number(getattr(summaries[key], statistic)) for key in COLUMNS.values()))
