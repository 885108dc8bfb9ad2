"""Options that several commands have, the same in each."""

from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only results and errors.")]
