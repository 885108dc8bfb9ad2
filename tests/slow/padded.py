"""The shipped model as it would be imported: every recording is padded to the window of 30 seconds."""

from asr_s2s.model_store import SpeechSystem, build_system, load_model


def padded_system() -> SpeechSystem:
    """Give the shipped weights in a model that merges no silence."""
    shipped = load_model("en")
    features = shipped.config.features.model_copy(update={"pad_to_seconds": 30.0, "tail_seconds": 0.0})
    network = shipped.config.model.model_copy(update={"silence": None})
    config = shipped.config.model_copy(update={"features": features, "model": network})
    padded = build_system(config, shipped.vocabulary, name="padded")
    padded.model.load_state_dict(shipped.model.state_dict())
    padded.model.eval()
    return padded
