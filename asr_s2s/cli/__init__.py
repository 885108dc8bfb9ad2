"""The command: a file a verb. Nothing heavy is imported before a verb runs, so that --help answers at once.

Exit status: 0 done; 1 some or all inputs failed (the others are complete); 2 wrong use, configuration or data;
3 a fault of ours; 128 + n ended by signal n.
"""

import signal
import sys
import traceback

import typer

from asr_s2s.cli import model, prepare, score, train, transcribe
from asr_s2s.cli.terminal import say
from asr_s2s.errors import AsrError

FAILED_INPUTS = 1
WRONG_USE = 2
OUR_FAULT = 3

app = typer.Typer(
    name="asr-s2s",
    help="Speech recognition: transcribe audio, train models, score word error rates.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(transcribe.transcribe)
app.command()(train.train)
app.command()(score.score)
app.command()(prepare.prepare)
app.add_typer(model.app, name="model")


def main() -> None:
    """Run the command and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit status; what users can mend is said without a traceback."""
    try:
        status = app(args=arguments, standalone_mode=False)
    except AsrError as error:
        say(str(error))
        return WRONG_USE
    except (KeyboardInterrupt, typer.Abort):
        say("Interrupted. What was finished is kept.")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; Python would complain once more at exit
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 - the border of the program: say whose fault it is
        if hasattr(error, "format_message"):  # a usage error of the command line itself
            say(f"{error.format_message()} Try 'asr-s2s --help'.")
            return WRONG_USE
        traceback.print_exc()
        say("This is a fault of asr-s2s, not yours. Please report it with the lines above.")
        return OUR_FAULT
    return status if isinstance(status, int) else 0
