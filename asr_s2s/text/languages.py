"""Languages by their codes and names, as a user may write them: de, German, de-AT, zh-Hans, Mandarin.

Codes and names are those of Whisper's tokens (Radford 2023): ISO 639-1 where it has a code, 639-3 otherwise.
"""

from collections.abc import Iterable
from difflib import get_close_matches

# fmt: off
NAMES = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "as": "Assamese", "az": "Azerbaijani", "ba": "Bashkir",
    "be": "Belarusian", "bg": "Bulgarian", "bn": "Bengali", "bo": "Tibetan", "br": "Breton", "bs": "Bosnian",
    "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fo": "Faroese",
    "fr": "French", "gl": "Galician", "gu": "Gujarati", "ha": "Hausa", "haw": "Hawaiian", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "ht": "Haitian Creole", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "jw": "Javanese", "ka": "Georgian", "kk": "Kazakh",
    "km": "Khmer", "kn": "Kannada", "ko": "Korean", "la": "Latin", "lb": "Luxembourgish", "ln": "Lingala",
    "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian", "mg": "Malagasy", "mi": "Maori", "mk": "Macedonian",
    "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay", "mt": "Maltese", "my": "Myanmar",
    "ne": "Nepali", "nl": "Dutch", "nn": "Nynorsk", "no": "Norwegian", "oc": "Occitan", "pa": "Punjabi",
    "pl": "Polish", "ps": "Pashto", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sa": "Sanskrit",
    "sd": "Sindhi", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "sn": "Shona", "so": "Somali",
    "sq": "Albanian", "sr": "Serbian", "su": "Sundanese", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil",
    "te": "Telugu", "tg": "Tajik", "th": "Thai", "tk": "Turkmen", "tl": "Tagalog", "tr": "Turkish", "tt": "Tatar",
    "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "yi": "Yiddish", "yo": "Yoruba",
    "yue": "Cantonese", "zh": "Chinese",
}
_OTHERS = {  # other names and codes of the same languages
    "burmese": "my", "valencian": "ca", "flemish": "nl", "haitian": "ht", "letzeburgesch": "lb", "pushto": "ps",
    "panjabi": "pa", "moldavian": "ro", "moldovan": "ro", "mo": "ro", "sinhalese": "si", "castilian": "es",
    "mandarin": "zh", "putonghua": "zh", "cmn": "zh", "farsi": "fa", "prs": "fa", "filipino": "tl", "fil": "tl",
    "iw": "he", "in": "id", "jv": "jw", "bokmal": "no", "nb": "no", "norsk": "no", "deutsch": "de", "ger": "de",
    "deu": "de", "eng": "en", "fre": "fr", "fra": "fr", "spa": "es", "ita": "it", "por": "pt", "rus": "ru",
    "chi": "zh", "zho": "zh", "jpn": "ja", "kor": "ko", "arb": "ar", "ara": "ar", "hin": "hi", "nld": "nl",
    "dut": "nl", "pol": "pl", "tur": "tr", "ukr": "uk", "ces": "cs", "cze": "cs",
}
# fmt: on
_BY_NAME = _OTHERS | {name.lower(): code for code, name in NAMES.items()} | {code: code for code in NAMES}


def language_code(name: str) -> str:
    """Find the code of a language by its code, its English name or a regional tag (BCP 47), in any case.

    Raises ValueError that names the nearest language for an unknown one.
    """
    plain = " ".join(name.replace("_", "-").lower().split())
    primary = plain.partition("-")[0]
    if plain.startswith("zh-yue"):
        primary = "yue"
    for written in (plain, primary):
        if written in _BY_NAME:
            return _BY_NAME[written]
    names = [each for each in _BY_NAME if len(each) > 3]  # codes of other languages are near to any code
    near = get_close_matches(plain, names, n=1) or get_close_matches(primary, names, n=1)
    hint = f"Did you mean {described_language(_BY_NAME[near[0]])}?" if near else "Give a code such as de, or a name."
    raise ValueError(f"unknown language '{name}'. {hint}")


def described_language(code: str) -> str:
    """Word a language for a message: 'de' (German)."""
    return f"'{code}' ({NAMES[code]})" if code in NAMES else f"'{code}'"


def nearest_language(code: str, known: Iterable[str]) -> str | None:
    """Find the language of a list that is nearest to one that it lacks: a relative, or one of a similar name."""
    codes = list(known)
    relatives = [other for other in _RELATIVES.get(code, "").split() if other in codes]
    names = {NAMES.get(each, each).lower(): each for each in codes}
    near = get_close_matches(NAMES.get(code, code).lower(), names, n=1, cutoff=0.5)
    return next(iter(relatives), names[near[0]] if near else None)


_RELATIVES = {"yue": "zh", "nn": "no", "no": "nn", "lb": "de", "bs": "hr sr", "fo": "is", "gl": "pt es", "oc": "ca fr"}
