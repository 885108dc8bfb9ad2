"""The sizes of a Whisper network, in Hugging Face's names or OpenAI's, with bounds: they may come from anywhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, ConfigDict, Field

from asr_s2s.config import Layers, PartConfig, Width, check_config
from asr_s2s.text.vocabulary import MOST_TOKENS


def _named(hugging_face: str, openai: str) -> Any:
    return Field(validation_alias=AliasChoices(hugging_face, openai))


class WhisperSizes(PartConfig):
    """What a checkpoint says of its network, among much else."""

    model_config = ConfigDict(extra="ignore")

    num_mels: int = _named("num_mel_bins", "n_mels")
    channels: Width = _named("d_model", "n_audio_state")
    encoder_heads: Width = _named("encoder_attention_heads", "n_audio_head")
    encoder_layers: Layers = _named("encoder_layers", "n_audio_layer")
    encoder_feedforward: Width = Field(validation_alias="encoder_ffn_dim")
    decoder_heads: Width = _named("decoder_attention_heads", "n_text_head")
    decoder_layers: Layers = _named("decoder_layers", "n_text_layer")
    decoder_feedforward: Width = Field(validation_alias="decoder_ffn_dim")
    max_tokens: Width = _named("max_target_positions", "n_text_ctx")
    vocabulary_size: Annotated[int, Field(ge=1, le=MOST_TOKENS)] = _named("vocab_size", "n_vocab")


def hugging_face_sizes(config: Mapping[str, Any], *, origin: Path) -> WhisperSizes:
    """Read the sizes from a config.json. Raises ConfigError that names what is missing or wrong."""
    return check_config(dict(config), WhisperSizes, origin=str(origin))


def openai_sizes(dimensions: Mapping[str, Any], *, origin: Path) -> WhisperSizes:
    """Read the sizes from a .pt, where the feed-forward widths are four times the others and not written."""
    channels = dimensions.get("n_audio_state")
    widths = {f"{part}_ffn_dim": 4 * channels for part in ("encoder", "decoder") if isinstance(channels, int)}
    return check_config({**dimensions, **widths}, WhisperSizes, origin=str(origin))
