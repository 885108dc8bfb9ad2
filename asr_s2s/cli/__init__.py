"""The command: a file a verb. Nothing heavy is imported before a verb runs, so that --help answers at once.

Exit status: 0 done; 1 some or all files failed (the others are complete); 2 wrong use, configuration or data;
3 a fault of ours; 4 `check` found faults; 128 + n ended by signal n.
"""

import atexit
import os
import re
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from asr_s2s.cli import check, model, prepare, score, train, transcribe
from asr_s2s.cli.ending import Ending, InterruptedWorkError
from asr_s2s.cli.process import set_up
from asr_s2s.cli.status import FAILED_INPUTS, OUR_FAULT, WRONG_USE
from asr_s2s.cli.terminal import open_streams, output, say
from asr_s2s.errors import AsrError, MissingExtraError

READER_GONE = 128 + 13  # SIGPIPE, which Windows does not name
INTERRUPTED = 128 + signal.SIGINT  # which typer makes of KeyboardInterrupt by itself

NAME = "asr-s2s"

app = typer.Typer(
    name=NAME,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from asr_s2s import __version__

        output(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Speech recognition: transcribe audio, train models, score word error rates."""


app.command()(transcribe.transcribe)
app.command()(train.train)
app.command()(score.score)
app.command()(prepare.prepare)
app.command()(check.check)
app.add_typer(model.app, name="model")


def main() -> None:
    """Run the command and leave with its exit status.

    Nothing is open any more by then, and to take torch apart, module by module, would last a fifth of a short run.
    """
    set_up()
    open_streams()
    ending = Ending()
    ending.watch()
    status = run(sys.argv[1:])
    if status == INTERRUPTED:
        status = ending.status
    atexit._run_exitfuncs()  # what others asked for is done all the same
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = status or READER_GONE
    except OSError as error:
        say(f"standard output cannot be written ({error.strerror}).")
        status = status or FAILED_INPUTS
    if not sys.stderr.closed:
        sys.stderr.flush()
    os._exit(status)


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit status; what users can mend is said without a traceback."""
    if hindrance := _hindrance(arguments):
        say(hindrance)
        return WRONG_USE
    try:
        status = app(args=arguments, prog_name=NAME, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer leaves by itself where our reader has gone
            return READER_GONE
        raise
    except InterruptedWorkError as left:
        say(f"Interrupted; {left}")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the border of the program: say whose fault it is
        return _explained(error)
    if status == INTERRUPTED:
        say("Interrupted.")
    return status if isinstance(status, int) else 0


def _with_help(error: Any) -> str:
    """Word an error of the command line, and name the command whose help lists what is right."""
    command = error.ctx.command_path if getattr(error, "ctx", None) else NAME
    message = error.format_message().strip().rstrip(".")
    return f"{message}. Try '{command} --help'." if message else f"Name a command. Try '{command} --help'."


def _hindrance(arguments: list[str]) -> str | None:
    """Say why no verb can do anything, if so."""
    if any(argument == "" or re.fullmatch("--[a-z-]+=", argument) for argument in arguments):
        return "An argument is empty. Leave it out, or check the variable that it came from."
    try:
        Path.cwd()
    except OSError:  # libraries in C++ end the process where they cannot ask for it
        return "The working folder is not there any more. Change to another one."
    return None


def _explained(error: Exception) -> int:
    """Say what went wrong and whose fault it is; give the exit status."""
    if isinstance(error, ModuleNotFoundError) and error.name in ("torch", "torchaudio"):
        error = MissingExtraError(f"This needs {error.name}, which is not installed: pip install 'asr-s2s[train]'.")
    if isinstance(error, AsrError) or hasattr(error, "format_message"):  # which errors of the command line have
        say(str(error) if isinstance(error, AsrError) else _with_help(error))
        return WRONG_USE
    if isinstance(error, BrokenPipeError):
        sys.stderr.close()  # the reader of our output has gone; Python would complain once more at exit
        return READER_GONE
    if isinstance(error, OSError):  # of the disk, or of rights that have changed: what was asked for was possible
        place = error.filename or "standard output"
        say(f"{place}: {error.strerror or error}. Files that were written before are whole.")
        return FAILED_INPUTS
    if isinstance(error, MemoryError):
        say("Out of memory. Use fewer --jobs, or fewer files at once. Files that were written before are whole.")
        return FAILED_INPUTS
    if isinstance(error, ImportError) and ".so" in str(error):
        say(f"A library cannot be loaded ({error}). Allow more memory, or install asr-s2s again.")
        return FAILED_INPUTS
    traceback.print_exception(error)
    say("Internal error (please report it, with the lines above).")
    return OUR_FAULT
