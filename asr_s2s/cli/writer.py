"""The files of a transcript, in the formats that were asked for."""

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from asr_s2s.cli.inputs import Input
from asr_s2s.errors import ConfigError

if TYPE_CHECKING:
    from asr_s2s.transcripts import CaptionShape, Transcript

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def chosen_formats(formats: list[str] | None) -> list[str]:
    """List the formats that were named, txt where none was. Raises ConfigError for an unknown one."""
    from asr_s2s.transcripts import FORMATS

    chosen: list[str] = []
    for name in (name.strip().lower() for names in formats or [] for name in names.split(",") if name.strip()):
        if name == "all":
            chosen.extend(FORMATS)
        elif name in FORMATS:
            chosen.append(name)
        else:
            raise ConfigError(f"--format {name}: unknown. Choose from {', '.join(FORMATS)}, all.")
    return list(dict.fromkeys(chosen)) or ["txt"]


class Writer:
    """Writes a transcript in the formats that were asked for; captions in the shape that was asked for."""

    def __init__(
        self, formats: list[str], shape: "CaptionShape", *, highlight_words: bool, embed_audio: bool = False
    ) -> None:
        self.formats, self._shape = formats, shape
        self._highlight_words, self._embed_audio = highlight_words, embed_audio

    def texts(self, transcript: "Transcript", *, folder: Path = Path()) -> dict[str, str]:
        """Return the content of each file by its format; folder: where they go. Raises TranscriptError as they do."""
        from asr_s2s.transcripts import CAPTIONS, content, shaped

        captions = shaped(transcript, self._shape) if set(self.formats) & set(CAPTIONS) else None
        return {
            name: content(
                name,
                transcript,
                captions=captions,
                folder=folder,
                highlight_words=self._highlight_words,
                embed_audio=self._embed_audio,
            )
            for name in self.formats
        }


def write_texts(one: Input, texts: dict[str, str], folder: Path) -> None:
    """Write the files of one recording. Raises TranscriptError for a name that no file can have."""
    from asr_s2s.errors import TranscriptError
    from asr_s2s.files import write_text
    from asr_s2s.transcripts import FORMATS

    for name, text in texts.items():
        target = one.target(folder, FORMATS[name].suffix)
        try:
            write_text(target, text)
        except OSError as error:
            if error.errno in DISK_FULL:
                raise
            advice = "Rename the recording" if error.errno == errno.ENAMETOOLONG else "Check its folder's permissions"
            raise TranscriptError(f"{target}: cannot be written ({error.strerror}). {advice}.") from error
