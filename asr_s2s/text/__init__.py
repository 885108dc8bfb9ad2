"""Texts: vocabularies that spell them in token ids; normalizers make them comparable."""

from typing import Annotated

from pydantic import Field

from asr_s2s.text.byte_pairs import BytePairsConfig, BytePairVocabulary
from asr_s2s.text.characters import CharactersConfig, CharacterVocabulary, described, plain
from asr_s2s.text.prune import PrunedVocabulary, prune
from asr_s2s.text.vocabulary import Vocabulary, unknown_characters

VocabularyConfig = Annotated[CharactersConfig | BytePairsConfig, Field(discriminator="kind")]

__all__ = [
    "BytePairVocabulary",
    "BytePairsConfig",
    "CharacterVocabulary",
    "CharactersConfig",
    "PrunedVocabulary",
    "Vocabulary",
    "VocabularyConfig",
    "described",
    "plain",
    "prune",
    "unknown_characters",
]
