"""`sfmcam evaluate`: score files of any methods in one table."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("scores_dirs", metavar="SCORES_DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--labels", metavar="DATASET", help="Ground truth: a labelled folder, 'camerabench' or 'synthetic'. Without it, the score files' own."
)
@click.option("--json", "json_path", metavar="FILE", type=click.Path(path_type=Path), help="Write all numbers to FILE.")
@click.option("--markdown", "markdown_path", metavar="FILE", type=click.Path(path_type=Path), help="Write the tables to FILE.")
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
    scores_dirs: tuple[Path, ...],
    labels: str | None,
    json_path: Path | None,
    markdown_path: Path | None,
    published: bool,
    bootstrap: int,
    seed: int,
) -> None:
    """Compare methods by their score files.

    SCORES_DIR holds classification_scores_<Task>.json files in CameraBench's schema, ours or a video-language model's; one folder may
    hold several methods. Every method is judged on the same rows: what it did not answer counts as a failure.
    """
    import json

    from sfmcam.cli.tables import make_console, print_leaderboard
    from sfmcam.datasets.registry import load_dataset
    from sfmcam.evaluation.leaderboard import leaderboard
    from sfmcam.io.score_reader import read_score_dir
    from sfmcam.io.text_file import write_text

    methods = [method for folder in dict.fromkeys(scores_dirs) for method in read_score_dir(folder)]
    labelled_set = None if labels is None else load_dataset(labels, allow_missing=True)
    board = leaderboard(methods, labelled_set, resamples=bootstrap, seed=seed, with_published=published)
    if json_path is not None:
        write_text(json_path, json.dumps(board.to_json(), indent=1, allow_nan=False) + "\n")
    if markdown_path is not None:
        write_text(markdown_path, board.to_markdown())
    print_leaderboard(make_console(), board)
