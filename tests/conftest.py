"""What all tests share: no deadlines and few threads, because the suite runs on machines that do other work too."""

import hypothesis
import torch

from asr_s2s.cli.process import set_up

hypothesis.settings.register_profile("shared-machine", deadline=None)
hypothesis.settings.load_profile("shared-machine")
set_up()
torch.set_num_threads(2)
