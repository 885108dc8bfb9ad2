"""How the process of the command is set up; `import asr_s2s` changes nothing of anybody's."""

import gc
import os

NEW_OBJECTS = 50_000  # between two looks for garbage; at Python's 700 they are an eighth of the import of torch
SETTINGS = {
    # Intel's library, which torch multiplies with, else adds up in an order that depends on where in memory a matrix
    # lies (on AMD's processors at least): a resumed training would not equal an unbroken one.
    "MKL_CBWR": "AUTO",
    # Large tensors then lie in pages of 2 MB where Linux offers them: to touch memory for the first time costs less,
    # which is a good part of loading a model.
    "THP_MEM_ALLOC_ENABLE": "1",
    # oneDNN keeps a kernel for each of the last 1024 shapes that it multiplied; recordings have ever new lengths, so
    # that memory grew by 200 MB an hour of sound.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
}


def set_up() -> None:
    """Set what libraries read when they are loaded, unless the user did; other processes inherit it."""
    gc.set_threshold(NEW_OBJECTS)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
