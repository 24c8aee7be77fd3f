"""`sfmcam calibrate`: fit the probabilities of the primitives to finished runs over labelled clips."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(context_settings={"show_default": True})
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", metavar="FILE", required=True, type=click.Path(path_type=Path), help="Write the coefficients to FILE.")
@click.option("--l2", type=click.FloatRange(0, min_open=True), default=1.0, help="Strength of the penalty on the weights.")
@click.option("--folds", type=click.IntRange(2, 100), default=5, help="Parts of the clips, each judged by a fit to the others.")
@click.option("--update", is_flag=True, help="FILE is there: change what it has for the estimators of the runs, keep the rest.")
def calibrate(runs: tuple[Path, ...], out: Path, l2: float, folds: int, update: bool) -> None:
    """Fit the probability of each primitive to the labels of finished runs.

    RUN is the --out of a `sfmcam bench` that ended. Each estimator in the runs gets coefficients of its own, and all together those for
    any other. Printed is how far they can be believed on clips that a fit has not seen. `configs/probabilities.json` holds those that
    every command uses; fit to other clips than you judge by.
    """
    from sfmcam.cli.tables import make_console, print_table
    from sfmcam.evaluation.calibration import calibrate as fit
    from sfmcam.evaluation.calibration import probability_file, reliability_table, updated
    from sfmcam.evaluation.calibration_examples import read_run
    from sfmcam.io.probability_file import read_probability_file, write_probability_file

    kept = read_probability_file(out) if update else None
    methods = [method for run in dict.fromkeys(runs) for method in read_run(run)]
    fitted = fit(methods, l2=l2, folds=folds)
    content = probability_file(fitted)
    write_probability_file(out, content if kept is None else updated(kept, content, slugs=[method.slug for method in methods]))
    console = make_console()
    for name, part in fitted.items():
        print_table(console, reliability_table(name, part.reliability))
    for method in methods:
        left_out = f"{method.failed} failed and {method.cut} of several shots left out"
        console.print(f"{method.slug} on {method.dataset}: {len(method.examples)} clips; {left_out}", style="dim", markup=False)
    console.print(f"Written: {out}", markup=False)
