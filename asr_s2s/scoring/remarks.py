"""What a reader must know of the data before the rates: nothing is dropped in silence."""

from dataclasses import dataclass

from asr_s2s.scoring.report import Report


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence, with the ids that it concerns where it does."""

    text: str
    ids: tuple[str, ...] = ()


def remarks(report: Report) -> list[Remark]:
    """List all that a report has to say."""
    pairing = report.pairing
    left_out = pairing.missing_as == "skip"
    missing = "left out as asked for" if left_out else "their words counted as deletions"
    found = [
        Remark(f"Missing hypotheses, {missing}", pairing.missing),
        Remark("Extra hypotheses without a reference, not scored", pairing.extra),
        Remark("Doubled ids in the reference, the first of each scored", pairing.doubled_references),
        Remark("Doubled ids in the hypothesis, the first of each scored", pairing.doubled_hypotheses),
        Remark("Empty references, what was recognised there counted as insertions", report.empty_references),
        Remark("References without words after normalising", report.emptied_references),
    ]
    found += [
        Remark(
            f"Vowel signs or accents removed by the normalizer's rule '{rule}', words alike but for them are equal", ids
        )
        for rule, ids in report.stripped.items()
    ]
    shown = [remark for remark in found if remark.ids]
    shown += [Remark(f"{text}.") for text in pairing.remarks]
    if pairing.by == "line":
        shown.append(Remark("Paired by line, since there are no ids: a line lost and another added would pass unseen."))
    if report.confusions_short_by:
        short = report.confusions_short_by
        shown.append(Remark(f"Kinds of errors are many: the rarest were let go, counts may be {short} short."))
    return shown
