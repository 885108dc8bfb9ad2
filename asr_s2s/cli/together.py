"""Options that have no effect together are refused: what a user asked for is never dropped without a word."""

from collections.abc import Iterable, Sequence

import typer

from asr_s2s.errors import ConfigError

# whether it applies to this call, which parameters it concerns, and why they have no effect then
Reason = tuple[bool, Sequence[str], str]


def check_effects(context: typer.Context, reasons: Iterable[Reason]) -> None:
    """Raise ConfigError for an option that stands on the command line and would have no effect."""
    flags = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    for applies, names, why in reasons:
        for name in names:
            source = context.get_parameter_source(name)
            if applies and source is not None and source.name == "COMMANDLINE":
                advice = (
                    "Leave it out, or add what is missing." if why.startswith("without") else "Leave one of them out."
                )
                raise ConfigError(f"{flags[name]} has no effect {why}. {advice}")
