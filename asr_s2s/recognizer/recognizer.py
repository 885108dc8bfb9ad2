"""From a recording to a transcript: read, cut, extract features, encode, search, join.

Recordings are read ahead, in threads, while others are recognised. Their pieces are gathered and put into batches of
like length by total duration, so that many short files are as quick as one long one. A recording that cannot be read
becomes an error in its place; the others go on.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE
from asr_s2s.engine import FRAME_SECONDS, Attention
from asr_s2s.engine.groups import groups
from asr_s2s.errors import AudioError
from asr_s2s.files import printable
from asr_s2s.recognizer.ahead import ReadAhead
from asr_s2s.recognizer.given import Given, source_of, sources_of
from asr_s2s.recognizer.memory import give_back
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import DecodeOptions
from asr_s2s.recognizer.piece_search import PieceSearch
from asr_s2s.recognizer.pieces import Pieces
from asr_s2s.recognizer.source import Source
from asr_s2s.recognizer.waiting import Recording, Waiting
from asr_s2s.transcripts import Segment, Transcript

MAX_PIECE_SECONDS = 30.0
# Between stretches of speech that make one piece, beside their margins: pauses of up to 0.9 s. Longer ones part
# sentences and speakers, of whom one may get lost.
GAP_SECONDS = 0.3
PADDED_GAP_SECONDS = 1.0  # for a model that is as slow on a short piece as on a long one
GATHER_SECONDS = 480.0  # of sound, from which batches of like length are made
BATCH_SECONDS = 80.0  # of frames that are searched at once
READERS = 2
MOST_SEARCHES = 16  # of different options that are kept ready


class Recognizer:
    """A speech model ready to transcribe.

    model: in an engine, see load
    options: how it recognises unless a call says otherwise
    Raises ConfigError for hot words that the model cannot write, or a language model of another vocabulary, and
        CheckpointError where there is no such language model
    """

    def __init__(self, model: ReadyModel, options: DecodeOptions = DecodeOptions()) -> None:  # noqa: B008 - frozen
        self.model, self._options = model, options
        self._search = lru_cache(MOST_SEARCHES)(partial(PieceSearch, model))
        self._search(options)  # what cannot be is said before any work

    def transcribe(
        self,
        audio: Given,
        *,
        sample_rate: float | None = None,
        channel: int | None = None,
        track: int | None = None,
        strict: bool = False,
        options: DecodeOptions | None = None,
    ) -> Transcript:
        """Transcribe one recording: a path, the bytes of a file, an open file, or samples with their sample_rate.

        Samples are an array, a tensor or a list, (time,), (time, channel) or (channel, time); whole numbers are scaled
        by the range of their type. channel: one alone, counted from 1; None mixes them.
        Of a damaged file what can be decoded is transcribed, and `damage` says what is missing.
        track: the number of a sound track, counted from 1; None takes the best that is not silent
        strict: raise AudioError for a damaged file instead; options: for this recording alone
        Raises AudioError that names the file if it cannot be read or holds only silence.
        """
        source = source_of(audio, sample_rate=sample_rate, channel=channel, track=track, strict=strict)
        ((_, result),) = self.transcribe_many([source], options=options)
        if isinstance(result, AudioError):
            raise result
        return result

    def segments(
        self,
        audio: Given,
        *,
        sample_rate: float | None = None,
        channel: int | None = None,
        track: int | None = None,
        strict: bool = True,
        options: DecodeOptions | None = None,
    ) -> Iterator[Segment]:
        """Transcribe one recording as transcribe does, but give each segment as soon as it and all before it are there.

        strict: raise AudioError for a damaged file, after the segments before the damage; without, go on behind it
        Raises AudioError as transcribe does.
        """
        recordings: deque[Recording] = deque()
        given = 0  # pieces
        source = source_of(audio, sample_rate=sample_rate, channel=channel, track=track, strict=strict)
        for _ in self._steps([source], recordings, options or self._options):
            (recording,) = recordings
            while given in recording.segments:
                yield from recording.segments[given]
                given += 1
            if recording.error is not None:
                raise recording.error

    def transcribe_many(
        self, audio: Iterable[Given], *, in_order: bool = True, options: DecodeOptions | None = None
    ) -> Iterator[tuple[Source, Transcript | AudioError]]:
        """Transcribe recordings or utterances; what cannot be read comes back as its AudioError.

        in_order: without, each is given as soon as it is done, whatever comes before it
        options: for these recordings alone
        Raises ConfigError where one recording was given, not several.
        """
        recordings: deque[Recording] = deque()
        for _ in self._steps(sources_of(audio), recordings, options or self._options):
            for recording in [one for one in recordings if one.is_done]:
                if in_order and recording is not recordings[0]:
                    break
                recordings.remove(recording)
                yield recording.source, recording.error or self._transcript(recording)

    def _steps(self, sources: Iterable[Source], recordings: deque[Recording], options: DecodeOptions) -> Iterator[None]:
        """Work through recordings, which are put at the end of a queue; stop for a look at it whenever some went on."""
        search = self._search(options)
        waiting: list[Waiting] = []
        read = partial(self._pieces, find_speech=options.find_speech)
        read_ahead = ReadAhead(read, cost=Waiting.cost, limit=GATHER_SECONDS, threads=READERS)
        for recording, pieces in read_ahead(map(Recording, sources)):
            recordings.append(recording)
            for piece in pieces:
                waiting.append(piece)
                if sum(one.seconds for one in waiting) >= GATHER_SECONDS:
                    yield from _recognize(waiting, search)
                    waiting = []
                    give_back()
        yield from _recognize(waiting, search)
        yield

    def _pieces(self, recording: Recording, *, find_speech: bool) -> Iterator[Waiting]:
        """Read a recording and give its pieces; what stops it is kept as its error."""
        engine = self.model.engine
        pieces = Pieces(
            recording.source.blocks(recording.findings),
            max_seconds=MAX_PIECE_SECONDS,
            find_speech=find_speech,
            gap_seconds=GAP_SECONDS if engine.window_seconds is None else PADDED_GAP_SECONDS,
        )
        try:
            for number, piece in enumerate(pieces):
                recording.num_pieces = number + 1
                (frames,) = engine.frames([len(piece.samples)]).tolist()
                yield Waiting(recording, number, piece, frames * FRAME_SECONDS)
        except AudioError as error:
            recording.error = error
            return
        recording.duration = pieces.num_samples / SAMPLE_RATE
        recording.speech = pieces.speech if find_speech else None

    def looked_at(
        self, samples: NDArray[np.float32], text: str
    ) -> tuple[NDArray[np.float32], list[str], Attention | None]:
        """Give what the model hears of a piece, and where it looks for each token of a text, as a picture shows it.

        samples: (time,) at 16 kHz
        returns: features (time, mel), the tokens' texts, attention (token, time') on the piece alone, or None
        """
        tokens = self.model.vocabulary.encode(text)
        attention = None
        if tokens:
            attention = self.model.engine.attention(self.model.engine.encode([samples]), [tokens], self.model.rules)
        labels = [self.model.vocabulary.decode([token]) for token in tokens]
        return self.model.engine.features(samples), labels, None if attention is None else attention[0]

    def _transcript(self, recording: Recording) -> Transcript:
        assert recording.duration is not None, "it was read to the end"
        segments = [segment for number in range(recording.num_pieces) for segment in recording.segments[number]]
        if not segments and recording.speech is not None:
            start = recording.source.offset
            silent = {"no_speech": 1.0 - recording.speech}
            segments = [Segment(start=start, end=start + recording.duration, text="", flags=silent)]
        return Transcript(
            segments=tuple(segments),
            duration=recording.duration,
            audio_path=printable(recording.source.path) if recording.source.path else None,
            model=self.model.name,
            time_source=self.model.time_source if any(segment.words for segment in segments) else None,
            damage=tuple(recording.findings.damage),
            notes=recording.findings.notes,
        )


def _recognize(waiting: Sequence[Waiting], search: PieceSearch) -> Iterator[None]:
    """Group pieces of like length, so that a batch is at most so many seconds of frames; stop after each."""
    by_length = sorted(waiting, key=lambda one: one.seconds)
    for first, end in groups([one.seconds for one in by_length], BATCH_SECONDS):
        batch = by_length[first:end]
        for one, segments in zip(batch, search([each.piece for each in batch]), strict=True):
            one.recording.segments[one.number] = [each.later(one.recording.source.offset) for each in segments]
        yield
