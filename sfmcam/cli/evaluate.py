"""`sfmcam evaluate`: score files of any methods in one table, and on request what average precision does not say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfmcam.datasets.labelled_set import LabelledSet
    from sfmcam.evaluation.beyond import Beyond
    from sfmcam.evaluation.leaderboard import Leaderboard
    from sfmcam.io.score_rows import MethodScores

HINT = "More: --beyond (right answers, calibration, confusion, cost), --subsets (by part of the set), --compare A B (which is better)."


@click.command()
@click.argument("scores", metavar="SCORES...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--labels", metavar="DATASET", help="Ground truth: a labelled folder, 'camerabench' or 'synthetic'. Without it, the score files' own."
)
@click.option(
    "--beyond", is_flag=True, help="Show accuracy, balanced accuracy and F1 beside always answering No, calibration, confusion, and cost."
)
@click.option("--subsets", is_flag=True, help="Show average precision by part of the labelled set; needs --labels.")
@click.option(
    "--compare", metavar="A B", nargs=2, multiple=True, help="Show by task which of two methods is better, and p. May be given again."
)
@click.option("--json", "json_path", metavar="FILE", type=click.Path(path_type=Path), help="Write all numbers to FILE.")
@click.option("--markdown", "markdown_path", metavar="FILE", type=click.Path(path_type=Path), help="Write all tables to FILE.")
@click.option("--published/--no-published", default=True, show_default=True, help="Show the published CameraBench rows beside.")
@click.option(
    "--bootstrap",
    metavar="N",
    type=click.IntRange(0, 100_000),
    default=1000,
    show_default=True,
    help="Resamples of the videos behind the intervals; 0 for none.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the bootstrap.")
def evaluate(
    scores: tuple[Path, ...],
    labels: str | None,
    beyond: bool,
    subsets: bool,
    compare: tuple[tuple[str, str], ...],
    json_path: Path | None,
    markdown_path: Path | None,
    published: bool,
    bootstrap: int,
    seed: int,
) -> None:
    """Compare methods by what they said of each clip.

    SCORES is a folder or a file: score files in CameraBench's schema (classification_scores_<Task>.json), answers with a letter per row
    (CamReasoner's), or a table with the columns video, task, score. One folder may hold several methods. Every method is judged on the
    same rows: what it did not answer counts as a failure.
    """
    from sfmcam.cli.tables import make_console, print_hint, print_leaderboard, print_sections
    from sfmcam.datasets.registry import load_dataset
    from sfmcam.errors import ConfigError
    from sfmcam.evaluation.beyond_page import accuracy_sections, comparison_sections, part_sections
    from sfmcam.evaluation.leaderboard import leaderboard
    from sfmcam.io.score_reader import read_scores

    if subsets and labels is None:
        raise ConfigError("--subsets needs --labels: the labelled set says which parts it has")
    methods = [method for path in dict.fromkeys(scores) for method in read_scores(path)]
    labelled_set = None if labels is None else load_dataset(labels, allow_missing=True)
    board = leaderboard(methods, labelled_set, resamples=bootstrap, seed=seed, with_published=published)
    console, found = make_console(), None
    if beyond or subsets or compare or json_path or markdown_path:
        found = _look_beyond(board, methods, labelled_set, compare)
        _write(board, found, json_path=json_path, markdown_path=markdown_path)
    print_leaderboard(console, board)
    if found is not None:
        chosen = ((beyond, accuracy_sections), (subsets, part_sections), (bool(compare), comparison_sections))
        for wanted, sections in chosen:
            if wanted:
                print_sections(console, sections(found), warnings=found.warnings if sections is accuracy_sections else ())
    if not (beyond or subsets or compare):
        print_hint(console, HINT)


def _look_beyond(
    board: Leaderboard, methods: Sequence[MethodScores], labelled_set: LabelledSet | None, compare: tuple[tuple[str, str], ...]
) -> Beyond:
    from sfmcam.datasets.parts import parts_of
    from sfmcam.evaluation.beyond import beyond

    return beyond(board, methods, parts=parts_of(labelled_set) if labelled_set is not None else None, compare=compare)


def _write(board: Leaderboard, found: Beyond, *, json_path: Path | None, markdown_path: Path | None) -> None:
    from sfmcam.evaluation.beyond_page import to_markdown
    from sfmcam.io.json_file import write_json
    from sfmcam.io.text_file import write_text

    if json_path is not None:
        write_json(json_path, {**board.to_json(), "beyond": found.to_json()})
    if markdown_path is not None:
        write_text(markdown_path, f"{board.to_markdown()}\n{to_markdown(found)}")
