"""The shipped model as it would be imported: every recording is padded to the window of 30 seconds."""

from dataclasses import replace

from asr_s2s.model_store.directory import SpeechSystem, load_model, rebuilt


def padded_system() -> SpeechSystem:
    """Give the shipped weights in a model that merges no silence."""
    shipped = load_model("en")
    features = shipped.config.input.model_copy(update={"pad_to_seconds": 30.0, "tail_seconds": 0.0})
    network = shipped.config.model.model_copy(update={"silence": None})
    config = shipped.config.model_copy(update={"input": features, "model": network})
    return replace(rebuilt(shipped, config), name="padded")
