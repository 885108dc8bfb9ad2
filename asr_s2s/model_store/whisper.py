"""Import of Whisper checkpoints: names change, weights do not.

Radford et al. 2023, "Robust speech recognition via large-scale weak supervision", ICML 2023.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from asr_s2s.config import check_config
from asr_s2s.errors import CheckpointError, listed
from asr_s2s.files import is_file
from asr_s2s.model_store.directory import ModelDirectoryConfig, SpeechSystem, build_system, save_model
from asr_s2s.model_store.loading import fill
from asr_s2s.model_store.skip_init import SkipInit
from asr_s2s.model_store.weights import Storage
from asr_s2s.model_store.whisper_checkpoints import (
    WhisperCheckpoint,
    read_hugging_face,
    read_openai,
)
from asr_s2s.text import BytePairsConfig
from asr_s2s.text.byte_pairs import parsed_tokenizer
from asr_s2s.text.languages import NAMES as LANGUAGES
from asr_s2s.text.vocabulary import read_utf8

WINDOW_SECONDS = 30.0
SPACE = "Ġ"  # the byte-level sign
ENGLISH, PREVIOUS = "en", "<|startofprev|>"
# Between plain sums, which cut long sentences short, and means, which let single words grow; chosen with tiny.en on
# training recordings: Common Voice WER 11.2 (power 1), 11.0 (0.5), 10.2 (0); LJ Speech 7.0 (1), 7.0 (0.25), 14.8 (0)
LENGTH_NORMALIZATION = 0.5
MULTILINGUAL_SIZE = 51865  # vocabularies of this size and above know languages; the English ones have 51864

# Signs and sequences that transcribers put in but nobody says, after Radford 2023's released decoding code
_UNSPOKEN = [
    *'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
    "<<",
    ">>",
    "<<<",
    ">>>",
    "--",
    "---",
    "-(",
    "-[",
    "('",
    '("',
    "((",
    "))",
    "(((",
    ")))",
    "[[",
    "]]",
    "{{",
    "}}",
    "♪♪",
    "♪♪♪",
]
_MUSIC = "♩♪♫♬♭♮♯"


def import_whisper(
    source: Path,
    target: Path,
    *,
    storage: Storage = "float16",
    tokenizer: Path | None = None,
    language: str | None = None,
) -> SpeechSystem:
    """Turn a Whisper checkpoint of any size into a model directory.

    tokenizer: its tokenizer.json; a Hugging Face folder holds one, OpenAI's .pt does not
    language: the only one that a multilingual model shall know, by its code; None leaves it all of its own
    Raises CheckpointError that names what is missing or foreign.
    """
    checkpoint = read_openai(source) if is_file(source) else read_hugging_face(source)
    file = tokenizer or checkpoint.tokenizer
    if file is None or not is_file(file) or file.name != "tokenizer.json":
        raise CheckpointError(
            f"{source}: has no tokenizer. Name the file tokenizer.json of the same kind of Whisper with --tokenizer."
        )
    text = read_utf8(file)
    words = _vocabulary_config(checkpoint, parsed_tokenizer(text, origin=str(file)), language=language, origin=file)
    config = _config(checkpoint, words, origin=source)
    with SkipInit([tensor.shape for tensor in checkpoint.state.values()], origin=source):
        system = build_system(config, words.build(text, origin=str(file)), name=target.name)
    fill(system.model, checkpoint.state, origin=source, advice="It is not a Whisper model as published.")
    save_model(target, system, card=_card(source, target), storage=storage)
    return system


def _config(checkpoint: WhisperCheckpoint, vocabulary: BytePairsConfig, *, origin: Path) -> ModelDirectoryConfig:
    """Whisper is our Transformer encoder behind two convolutions, and our Transformer decoder."""
    sizes = checkpoint.sizes
    encoder = {
        "kind": "transformer",
        "channels": sizes.channels,
        "heads": sizes.encoder_heads,
        "layers": sizes.encoder_layers,
        "feedforward": sizes.encoder_feedforward,
        "dropout": 0.0,
        "stem": {"kind": "conv1d", "factor": 2},
    }
    decoder = {
        "kind": "transformer",
        "channels": sizes.channels,
        "heads": sizes.decoder_heads,
        "layers": sizes.decoder_layers,
        "feedforward": sizes.decoder_feedforward,
        "dropout": 0.0,
        "max_tokens": sizes.max_tokens,
        "alignment_heads": checkpoint.alignment_heads,
    }
    tree = {
        "input": {"kind": "whisper", "num_mels": sizes.num_mels, "pad_to_seconds": WINDOW_SECONDS},
        "vocabulary": vocabulary.model_dump(),
        "model": {"encoder": encoder, "decoder": decoder},
        "search": {"length_normalization": LENGTH_NORMALIZATION},
    }
    return check_config(tree, ModelDirectoryConfig, origin=str(origin))


def _vocabulary_config(
    checkpoint: WhisperCheckpoint, tokenizer: Tokenizer, *, language: str | None, origin: Path
) -> BytePairsConfig:
    ids = tokenizer.get_vocab()
    multilingual = checkpoint.sizes.vocabulary_size >= MULTILINGUAL_SIZE
    if language not in (None, ENGLISH) and not multilingual:
        raise CheckpointError(f"language '{language}': this model knows English alone. Leave the language out.")
    known = sorted((code for code in LANGUAGES if f"<|{code}|>" in ids), key=lambda code: ids[f"<|{code}|>"])
    task = [f"<|{language or ENGLISH}|>", "<|transcribe|>"] if multilingual else []
    prompt = ("<|startoftranscript|>", *task, "<|notimestamps|>")
    missing = [token for token in (*prompt, "<|endoftext|>", SPACE) if token not in ids]
    if missing:
        raise CheckpointError(
            f"{origin}: does not know {listed(missing)}. Name the tokenizer.json of this Whisper model, "
            "and a language that it knows."
        )
    first = (ids[SPACE], ids["<|endoftext|>"])  # a text must not begin with its end
    tree = {
        "kind": "bpe",
        "size": checkpoint.sizes.vocabulary_size,
        "prompt": prompt,
        "end": "<|endoftext|>",
        "no_speech": next((token for token in ("<|nospeech|>", "<|nocaptions|>") if token in ids), None),
        "suppressed": unspoken_tokens(tokenizer) if checkpoint.suppressed is None else checkpoint.suppressed,
        "suppressed_first": first if checkpoint.suppressed_first is None else checkpoint.suppressed_first,
        "languages": known if multilingual and language is None else [language or ENGLISH],
        "tasks": ("transcribe", "translate") if multilingual and "<|translate|>" in ids else (),
        "previous": PREVIOUS if PREVIOUS in ids else None,
    }
    return check_config(tree, BytePairsConfig, origin=str(origin))


def unspoken_tokens(tokenizer: Tokenizer) -> tuple[int, ...]:
    """List the pieces that stand for no spoken sound, and the special tokens that only a prompt may hold."""

    def single(text: str) -> Iterable[int]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        return ids[:1] if len(ids) == 1 or text.strip() in _MUSIC else []

    found = {token for sign in [*_UNSPOKEN, *_MUSIC] for text in (sign, " " + sign) for token in single(text)}
    found |= {token for text in (" -", " '") for token in tokenizer.encode(text, add_special_tokens=False).ids[:1]}
    prompts = ("transcribe", "translate", "startoftranscript", "startofprev", "startoflm", "nospeech", "nocaptions")
    found |= {token for name in prompts if (token := tokenizer.token_to_id(f"<|{name}|>")) is not None}
    return tuple(sorted(found))


def _card(source: Path, target: Path) -> str:
    return (
        f"# {target.name}\n\nImported from the Whisper checkpoint `{source.name}`; the weights are unchanged but for "
        "rounding to the chosen storage.\n\nWhisper is by A. Radford et al. 2023 (OpenAI), MIT licence. A fine-tuned "
        "checkpoint may carry another licence: look where you had it from.\n"
    )
