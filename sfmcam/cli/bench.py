"""`sfmcam bench`: estimators over a labelled set, compared with one another and with the published rows."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfmcam.cli.options import DEFAULT_ESTIMATOR, plan_methods, run_options
from sfmcam.errors import SfmcamError

if TYPE_CHECKING:
    from sfmcam.batch.runner import Executor
    from sfmcam.datasets.labelled_set import LabelledSet
    from sfmcam.evaluation.bench_report import BenchReport
    from sfmcam.evaluation.benchmark import BenchPlan, Results


@click.command(context_settings={"show_default": True})
@click.argument("dataset", required=False)
@click.option("-e", "--estimators", default=DEFAULT_ESTIMATOR, metavar="NAME[,NAME]", help="Each NAME or NAME:PRESET.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=Path("out/bench"), help="Folder of the run; called again, it goes on."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only N clips, the same at every call, and only their labels.")
@click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="Clips at a time.  [default: 1; with ray, as the cluster can]")
@click.option("--executor", type=click.Choice(["local", "ray"]), default="local", help="ray: the cluster of RAY_ADDRESS, or this machine.")
@run_options
@click.option("--overwrite", is_flag=True, help="Replace what OUT holds of these estimators.")
@click.option("--retry-failed", is_flag=True, help="Run again the clips whose run timed out, crashed or ran out of memory.")
@click.option("--allow-missing", is_flag=True, help="Accept labels whose video is not there; they count as failures.")
def bench(dataset: str | None, estimators: str, out: Path, **given: Any) -> None:
    """Run estimators over DATASET and print the head-to-head table.

    DATASET is a folder in CameraBench's layout, `camerabench` or `synthetic`; without it, CameraBench if it was downloaded, else the
    synthetic set. Writes score files in CameraBench's schema to OUT/<estimator>/scores/, and OUT/results.json and OUT/results.md.
    A run that was stopped goes on where it stopped when it is called again.
    """
    from sfmcam.batch.runner import sole_writer
    from sfmcam.evaluation.bench_report import make_report, write_report
    from sfmcam.evaluation.benchmark import BenchPlan
    from sfmcam.workspace import BenchFolder

    methods = plan_methods(estimators, given)
    whole_set = _load(dataset, given)
    plan = BenchPlan(
        labelled_set=whole_set if given["limit"] is None else whole_set.limited(given["limit"]),
        methods=tuple(methods),
        folder=BenchFolder(out),
        workers=given["jobs"] or 1,
        overwrite=given["overwrite"],
        retry_failed=given["retry_failed"],
        whole_set=whole_set,
    )
    executor = _make_executor(given["executor"], given["jobs"])
    with sole_writer(plan.folder):  # a second run would change the score files under the report
        results = _run(plan, executor)
        report = make_report(plan, results, scoring=given["scoring"], command=_command_line())
        write_report(report)
    _print(report)
    _refuse_dead_methods(plan, results)


def _load(dataset: str | None, given: dict[str, Any]) -> LabelledSet:
    from sfmcam.datasets.registry import load_dataset

    name = dataset or _default_dataset()
    if name == "synthetic":
        _render_synthetic()
    return load_dataset(name, allow_missing=given["allow_missing"])


def _render_synthetic() -> None:
    """Render what is missing of the embedded set, with a bar; loading it would do so in silence."""
    from sfmcam.cli.bench_progress import show_rendering
    from sfmcam.datasets.registry import synthetic_folder
    from sfmcam.datasets.synthetic.embedded import ensure_embedded_set

    with show_rendering() as progress:
        ensure_embedded_set(synthetic_folder(), progress=progress)


def _default_dataset() -> str:
    from sfmcam.datasets.camerabench import camerabench_folder

    name = "camerabench" if (camerabench_folder() / "videos").is_dir() else "synthetic"
    click.echo(f"No data set was named: running on {name}.", err=True)
    return name


def _make_executor(name: str, jobs: int | None) -> Executor:
    from sfmcam.batch.cluster import RayExecutor
    from sfmcam.batch.local import LocalExecutor

    return RayExecutor(jobs) if name == "ray" else LocalExecutor(jobs or 1)


def _run(plan: BenchPlan, executor: Executor) -> Results:
    from sfmcam.cli.bench_progress import show_progress
    from sfmcam.evaluation.benchmark import run_benchmark

    try:
        with show_progress() as progress:
            return run_benchmark(plan, executor=executor, progress=progress)
    except KeyboardInterrupt:
        click.echo(f"Stopped; finished clips are kept in {plan.folder.root}. The same command goes on from there.", err=True)
        raise


def _refuse_dead_methods(plan: BenchPlan, results: Results) -> None:
    """Make it exit code 1 when an estimator had no say on any clip: its row of the tables tells nothing of it."""
    from sfmcam.evaluation.benchmark import describe_dead_methods

    if sentence := describe_dead_methods(results):
        raise SfmcamError(f"{sentence}; see {plan.folder.root}/<estimator>/clips/<clip>/run.log, and try again with --retry-failed")


def _print(report: BenchReport) -> None:
    from sfmcam.cli.tables import make_console, print_leaderboard, print_table

    console = make_console()
    print_leaderboard(console, report.board, details=False)
    for table in report.tables:
        print_table(console, table)
    for note in report.notes:
        console.print(note, style="dim", markup=False)
    folder = report.plan.folder
    console.print(f"Written: {folder.results_md}, {folder.results_json}, {folder.root}/<estimator>/scores/", markup=False)


def _command_line() -> str:
    return shlex.join(["sfmcam", *click.get_current_context().obj])
