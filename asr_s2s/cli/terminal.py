"""Standard output is for results alone; everything else that the command says goes to standard error."""

import sys


def say(message: str) -> None:
    """Say something to the person at the terminal."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the one place that prints


def output(text: str) -> None:
    """Write a result; a newline is added where there is none."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()
