"""What the HTML pages of transcripts and of scoring share: one file from a payload, its sound, player and colours."""

from asr_s2s.transcripts.page.document import Assets, document
from asr_s2s.transcripts.page.sound import data_address, link

SHARED = Assets(__package__)

__all__ = ["SHARED", "Assets", "data_address", "document", "link"]
