"""The full transcript as JSON, with the names of Whisper's JSON where it has one and ours beside them.

docs/transcript.schema.json is made from the classes below; a test holds the two equal.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from asr_s2s.errors import Damage, TranscriptError
from asr_s2s.manifest import Word
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".json"

VERSION = 1

Document = TypeVar("Document", bound=BaseModel)

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False, description="seconds in the file, to the millisecond")]
Share = Annotated[float, Field(ge=0, le=1, description="0 to 1, to four decimals")]
Flags = Annotated[
    dict[str, float],
    Field(description="what looks wrong (loop, truncated, low_coverage, no_speech, low_confidence) with its value"),
]


Language = Annotated[str | None, Field(description="code of the language that it was recognised in, of several")]
LanguageProbability = Annotated[Share | None, Field(description="of that language; null where it was given")]


class _Document(BaseModel):
    """Unknown keys are passed over, so that a later minor addition does not break today's readers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WordDocument(_Document):
    """A word with its times."""

    word: str
    start: Seconds
    end: Seconds
    probability: Share | None = None


class SegmentDocument(_Document):
    """A stretch of the recording and what was said in it."""

    start: Seconds
    end: Seconds
    text: str
    confidence: Share | None = None
    flags: Flags = {}
    repaired: Flags = Field(default={}, description="flags of a first search, whose text a safer one has replaced")
    speaker: str | None = Field(default=None, description="who speaks, if that is known: the name of the channel, say")
    channel: int | None = Field(default=None, ge=1, description="channel of the recording, where it was read alone")
    pred_language: Language = None
    pred_language_probability: LanguageProbability = None
    words: tuple[WordDocument, ...] = ()


class DamageDocument(_Document):
    """A stretch of the recording that could not be read; no end where nobody knows it."""

    start: Seconds
    end: Seconds | None = None
    reason: str


Damages = Annotated[tuple[DamageDocument, ...], Field(description="what of the recording could not be read")]
Notes = Annotated[tuple[str, ...], Field(description="what was chosen while it was read, one of several tracks, say")]


class TranscriptDocument(_Document):
    """What was recognised in one recording."""

    version: Literal[1] = Field(description="raised only when an older reader would misread the file")
    text: str = Field(description="the texts of all segments")
    duration: Seconds
    audio_filepath: str | None = None
    language: str | None = Field(default=None, description="the same as pred_language, under Whisper's name")
    pred_language: Language = None
    pred_language_probability: LanguageProbability = None
    model: str = Field(default="", description="name of the model that recognised it")
    confidence: Share | None = None
    flags: Flags = {}
    time_source: str | None = Field(default=None, description="what the words' times were read from")
    damage: Damages = ()
    notes: Notes = ()
    segments: tuple[SegmentDocument, ...]


def write(transcript: Transcript) -> str:
    """Write all that a transcript holds; times to the millisecond, probabilities to four decimals."""
    return document_of(transcript).model_dump_json(indent=2) + "\n"


def document_of(transcript: Transcript) -> TranscriptDocument:
    """Return what is written of a transcript."""
    return TranscriptDocument(
        version=VERSION,
        text=transcript.text,
        duration=round(transcript.duration, 3),
        audio_filepath=transcript.audio_path,
        language=transcript.language,
        pred_language=transcript.language,
        pred_language_probability=rounded(transcript.language_probability),
        model=transcript.model,
        confidence=rounded(transcript.confidence),
        flags=transcript.flags,
        time_source=transcript.time_source,
        damage=tuple(damage_document(damage) for damage in transcript.damage),
        notes=transcript.notes,
        segments=tuple(_segment_document(segment) for segment in transcript.segments),
    )


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read what write() wrote; the joined text, confidence and flags follow from the segments.

    Raises TranscriptError that lists every fault with its dotted path.
    """
    document = parsed(TranscriptDocument, text, origin=origin)
    return Transcript(
        tuple(_segment(segment) for segment in document.segments),
        duration=document.duration,
        audio_path=document.audio_filepath,
        language=document.pred_language or document.language,
        language_probability=document.pred_language_probability,
        model=document.model,
        time_source=document.time_source,
        damage=tuple(damage_of(damage) for damage in document.damage),
        notes=document.notes,
    )


def schema() -> dict[str, object]:
    """Return the JSON schema that every written transcript follows."""
    made = TranscriptDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "asr_s2s transcript"}


def parsed(kind: type[Document], text: str, *, origin: str) -> Document:
    """Validate JSON text against a document class; raises TranscriptError with every fault."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        faults = [f"{origin}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise TranscriptError("\n".join([*faults, "Write it again with asr-s2s transcribe."])) from error


def word_document(word: Word) -> WordDocument:
    """Round a word's times to milliseconds for writing."""
    return WordDocument(
        word=word.word, start=round(word.start, 3), end=round(word.end, 3), probability=rounded(word.probability)
    )


def word_of(document: WordDocument) -> Word:
    """Return the word that a document holds."""
    return Word(document.word, document.start, document.end, document.probability)


def damage_document(damage: Damage) -> DamageDocument:
    """Round a damage's times to milliseconds for writing."""
    end = None if damage.end is None else round(damage.end, 3)
    return DamageDocument(start=round(damage.start, 3), end=end, reason=damage.reason)


def damage_of(document: DamageDocument) -> Damage:
    """Return the damage that a document holds."""
    return Damage(document.start, document.end, document.reason)


def rounded(value: float | None) -> float | None:
    """Round a probability or confidence for writing."""
    return None if value is None else round(value, 4)


def _segment_document(segment: Segment) -> SegmentDocument:
    return SegmentDocument(
        start=round(segment.start, 3),
        end=round(segment.end, 3),
        text=segment.text,
        confidence=rounded(segment.confidence),
        flags=dict(segment.flags),
        repaired=dict(segment.repaired),
        speaker=segment.speaker,
        channel=segment.channel,
        pred_language=segment.language,
        pred_language_probability=rounded(segment.language_probability),
        words=tuple(word_document(word) for word in segment.words),
    )


def _segment(document: SegmentDocument) -> Segment:
    return Segment(
        document.start,
        document.end,
        document.text,
        words=tuple(word_of(word) for word in document.words),
        confidence=document.confidence,
        flags=document.flags,
        repaired=document.repaired,
        speaker=document.speaker,
        channel=document.channel,
        language=document.pred_language,
        language_probability=document.pred_language_probability,
    )
