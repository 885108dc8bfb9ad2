"""Sound files to samples (time,) at a known rate, and back; pieces of speech; mixing of noise and rooms."""

from asr_s2s.audio.decoder import SILENCE_PEAK
from asr_s2s.audio.findings import Findings, described
from asr_s2s.audio.folder import AUDIO_SUFFIXES, find_recordings
from asr_s2s.audio.levels import Levels, measure_levels
from asr_s2s.audio.mix import add_reverberation, mix_noise
from asr_s2s.audio.opening import rewindable
from asr_s2s.audio.read import LEAST_RATE, MOST_RATE, audio_duration, count_channels, read_audio, read_blocks
from asr_s2s.audio.resample import SAMPLE_RATE, change_speed, resample, resample_blocks
from asr_s2s.audio.segments import SampleRange, cut_at_silences
from asr_s2s.audio.speech import SpeechDetector, lasting_probability, levelled, speech_segments
from asr_s2s.audio.write import write_audio

__all__ = [
    "AUDIO_SUFFIXES",
    "LEAST_RATE",
    "MOST_RATE",
    "SAMPLE_RATE",
    "SILENCE_PEAK",
    "Findings",
    "Levels",
    "SampleRange",
    "SpeechDetector",
    "add_reverberation",
    "audio_duration",
    "change_speed",
    "count_channels",
    "cut_at_silences",
    "described",
    "find_recordings",
    "lasting_probability",
    "levelled",
    "measure_levels",
    "mix_noise",
    "read_audio",
    "read_blocks",
    "resample",
    "resample_blocks",
    "rewindable",
    "speech_segments",
    "write_audio",
]
