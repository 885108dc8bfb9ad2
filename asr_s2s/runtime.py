"""The one place that imports onnxruntime, which otherwise reports to its maker.

It writes a device id into the user's cache folder, queues events there and looks up a host. The environment
variable stops that, if it is set before the import; its function `disable_telemetry_events` comes too late. Processes
that are started from here inherit it.
"""

import os
from importlib import import_module
from typing import Any


def onnxruntime() -> Any:
    """Import onnxruntime, silenced."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return import_module("onnxruntime")
