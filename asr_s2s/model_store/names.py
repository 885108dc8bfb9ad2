"""Names of weights: in model.safetensors they stay as they were first written, also where a module was renamed."""

_SINCE_RENAMED = {
    "encoder.stem.": "encoder.subsampling.",
    "encoder.tail.": "encoder.norm.",
    ".forward_rnn.": ".forwards.",
    ".backward_rnn.": ".backwards.",
}


def stored_name(name: str) -> str:
    """Return the name in the file of a weight that the network has under this name."""
    for now, stored in _SINCE_RENAMED.items():
        name = name.replace(now, stored)
    return name
