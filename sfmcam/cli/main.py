"""The command `sfmcam`: a table of subcommands, each loaded only when it is called, so that help appears at once."""

from __future__ import annotations

import difflib
import importlib
import io
import logging
import sys

import click

from sfmcam import __version__
from sfmcam.cli.complaint import complain
from sfmcam.errors import ConfigError, SfmcamError

logger = logging.getLogger(__name__)

# name -> ("module:attribute", help in the list of commands)
COMMANDS: dict[str, tuple[str, str]] = {
    "trajectory": ("sfmcam.cli.trajectory:trajectory", "Show how the camera moved in a video."),
    "score": ("sfmcam.cli.score:score", "Score a camera trajectory that another tool wrote."),
    "compare": ("sfmcam.cli.compare:compare", "Compare camera paths with known ones: pose errors of any tool or video generator."),
    "bench": ("sfmcam.cli.bench:bench", "Run estimators over a labelled set of clips and compare them."),
    "evaluate": ("sfmcam.cli.evaluate:evaluate", "Compare score files of any method with one another and with published results."),
    "report": ("sfmcam.cli.report:report", "Write a page that opens from disk on a run, other methods beside it."),
    "data": ("sfmcam.cli.data:data", "Download or render a labelled set of clips."),
    "calibrate": ("sfmcam.cli.calibrate:calibrate", "Fit the probabilities of the primitives to finished runs."),
    "weights": ("sfmcam.cli.weights:weights", "Fetch trained weights of others, for the learned estimators."),
    "train": ("sfmcam.cli.train:train", "Train a network of one's own on rendered clips."),
    "estimators": ("sfmcam.cli.estimators:estimators", "List the estimators, their presets and options."),
}

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class LazyGroup(click.Group):
    """A group that imports a subcommand only to run it or to show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module_name, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module_name), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; for an unknown one, suggest the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(COMMANDS)}."
            ctx.fail(f"there is no command '{args[0]}'; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sfmcam")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done, to standard error.")
def cli(verbose: bool) -> None:
    """How the camera moved in a video: poses and focal length per frame, the motion in words, and comparable scores."""
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name that the terminal cannot show is no reason to fail
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; a user's mistake is one sentence on standard error."""
    try:
        code = cli.main(arguments, prog_name="sfmcam", standalone_mode=False, obj=tuple(arguments))  # obj: what a result says made it
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _complain(error.format_message(), code=error.exit_code)
    except ConfigError as error:
        return _complain(str(error), code=EXIT_USAGE)
    except SfmcamError as error:
        return _complain(str(error), code=EXIT_ERROR)
    except BrokenPipeError:  # whoever reads our output has enough of it: nobody is left to tell
        return EXIT_ERROR
    except OSError as error:  # what no module foresaw: a full disk, a folder that was taken away
        logger.info("the system refused", exc_info=True)
        return _complain(_what_failed(error), code=EXIT_ERROR)
    return code if isinstance(code, int) else 0


def _complain(sentence: str, *, code: int) -> int:
    complain(sentence)
    return code


def _what_failed(error: OSError) -> str:
    why = error.strerror.lower() if error.strerror else str(error) or type(error).__name__
    return f"the system refused {error.filename}: {why}" if error.filename else f"the system refused: {why}"


if __name__ == "__main__":
    main()
