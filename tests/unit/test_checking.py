"""Each fault put into real recordings is found, and nothing is found in those that have none."""

import json
import math
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from audio_files import Samples, speech

from asr_s2s.audio import measure_levels
from asr_s2s.checking import CheckedUtterance, measure_sounds, report_of, to_html, to_json
from asr_s2s.checking.text import Pace, pace_of, said_length
from asr_s2s.cli import run
from asr_s2s.manifest import Utterance, read_manifest, write_manifest

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"


def recordings() -> list[Utterance]:
    return [replace(item, origin="") for item in read_manifest(DATA / "manifest.jsonl")]


def checked(utterances: list[Utterance], manifest: str = "train.jsonl") -> list[CheckedUtterance]:
    sounds = measure_sounds(utterances, jobs=1, on_done=lambda _: None)
    return [CheckedUtterance(manifest, item, sound) for item, sound in zip(utterances, sounds, strict=True)]


def found(items: list[CheckedUtterance]) -> list[tuple[str, str]]:
    """Give (id, kind) of every finding, worst utterance first."""
    suspects = report_of(items).suspects
    return [(suspect.checked.utterance.id, finding.kind) for suspect in suspects for finding in suspect.findings]


def wav(path: Path, samples: Samples, *, rate: int = 16_000) -> Path:
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


# Sound


def test_levels_are_those_of_a_known_tone(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 100 * np.arange(8000) / 8000).astype(np.float32)
    levels = measure_levels(wav(tmp_path / "tone.wav", tone, rate=8000))
    assert (levels.sample_rate, levels.channels, levels.seconds) == (8000, 1, 1.0)
    assert levels.peak == pytest.approx(20 * math.log10(0.5), abs=1e-3)
    assert levels.loudest == pytest.approx(10 * math.log10(0.125), abs=1e-3)  # a sine has half its peak's power
    assert levels.near_peak == pytest.approx(2 / math.pi * math.acos(0.97), abs=0.02)  # 80 samples a period


def test_equal_sound_has_one_digest_whatever_file_and_piece_it_lies_in(tmp_path: Path) -> None:
    samples = np.round(speech() * 32767) / 32768
    soundfile.write(tmp_path / "a.wav", samples, 16_000)
    soundfile.write(tmp_path / "a.flac", samples, 16_000)
    soundfile.write(tmp_path / "longer.wav", np.concatenate([np.zeros(16_000), samples]), 16_000)
    first = measure_levels(tmp_path / "a.wav").digest
    assert measure_levels(tmp_path / "a.flac").digest == first
    seconds = len(samples) / 16_000
    assert measure_levels(tmp_path / "longer.wav", offset=1.0, duration=seconds).digest == first
    assert measure_levels(tmp_path / "longer.wav").digest != first


def test_nothing_is_found_in_real_recordings() -> None:
    assert found(checked(recordings())) == []


def test_every_fault_of_sound_is_found_and_the_worst_stands_first(tmp_path: Path) -> None:
    samples = speech()
    (tmp_path / "broken.wav").write_text("no sound")
    wav(tmp_path / "short.wav", samples[:800])
    wav(tmp_path / "silent.wav", samples * 1e-3)
    wav(tmp_path / "clipped.wav", np.clip(samples * 10 / np.abs(samples).max(), -1, 1))
    wav(tmp_path / "loud.wav", samples / np.abs(samples).max())
    names = ("loud", "clipped", "silent", "short", "broken", "lost")
    items = [Utterance(name, tmp_path / f"{name}.wav", text=name[0]) for name in names]
    late = Utterance("late", tmp_path / "loud.wav", text="late", offset=3.0, duration=2.0)
    assert found(checked([*items, late])) == [
        ("broken", "unreadable"),
        ("lost", "unreadable"),
        ("short", "empty"),
        ("silent", "silent"),
        ("clipped", "clipped"),  # a third of it
        ("late", "wrong duration"),
    ]


def test_a_recording_of_more_than_half_a_minute_is_found(tmp_path: Path) -> None:
    samples = speech()
    repeats = math.ceil(31 * 16_000 / len(samples))
    path = wav(tmp_path / "long.wav", np.tile(samples, repeats))
    items = [replace(item, text="") for item in recordings()]
    long = Utterance("long", path, text="")
    assert ("long", "long") in found(checked([*items, long]))
    assert ("long", "long") in found(checked([long, replace(long, id="other")]))  # also in a set of long ones
    assert ("long", "long") not in found(checked([replace(long, duration=29.9)]))


def test_a_lower_rate_than_the_others_or_another_than_stated_is_found(tmp_path: Path) -> None:
    samples = speech()
    for start, (name, rate) in enumerate([("a", 16_000), ("b", 16_000), ("telephone", 8_000), ("stated", 16_000)]):
        wav(tmp_path / f"{name}.wav", samples[start:], rate=rate)
    items = [Utterance(name, tmp_path / f"{name}.wav") for name in ("a", "b", "telephone")]
    stated = Utterance("stated", tmp_path / "stated.wav", extra={"sample_rate": 8000})
    assert found(checked([*items, stated])) == [("stated", "wrong rate"), ("telephone", "wrong rate")]
    assert found(checked([items[2]])) == []  # a telephone corpus


# Texts


def with_texts(texts: list[str], seconds: list[float] | None = None) -> list[CheckedUtterance]:
    """Give utterances with these texts, each with sound of its own and of such a length."""
    levels = measure_levels(DATA / "lbby5a.ogg")
    lengths = seconds or [0.5 + 0.07 * said_length(text) for text in texts]
    return [
        CheckedUtterance(
            "train.jsonl",
            Utterance(str(index), Path("x.wav"), text=text),
            replace(levels, seconds=length, digest=str(index)),
        )
        for index, (text, length) in enumerate(zip(texts, lengths, strict=True))
    ]


def test_invisible_rare_and_markup_characters_are_odd_and_letters_of_the_language_are_not() -> None:
    texts = ["Größe, schön über - 'na'"] * 300 + ["Übung"] + ["zero\u200bwidth", "<noise> hello there", "смех here", ""]
    assert sorted(found(with_texts(texts))) == [
        ("301", "odd characters"),
        ("302", "markup"),
        ("303", "odd characters"),
        ("304", "empty text"),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("a <b>bold</b> word", "markup", "<b>, </b>"),
        ("then [noise] came", "markup", "[noise]"),
        ("Tom &amp; Anna &#39;s", "markup", "&amp;, &#39;"),
        ("it { laughs } goes", "markup", "{ laughs }"),
        ("a p\u0430per", "mixed alphabets", "'p\u0430per' with '\u0430' (U+0430 CYRILLIC SMALL LETTER A)"),
        ("\u0430 paper", "mixed alphabets", "'\u0430' with '\u0430' (U+0430 CYRILLIC SMALL LETTER A)"),
        ("\u0441лово o\u043d", "mixed alphabets", "'o\u043d' with"),
    ],
)
def test_markup_and_mixed_alphabets_are_found_in_a_set_of_one_text(text: str, kind: str, told: str) -> None:
    (suspect,) = report_of(with_texts([text])).suspects
    assert [finding.kind for finding in suspect.findings] == [kind]
    assert told in suspect.findings[0].message


@pytest.mark.parametrize(
    "text",
    [
        "Tom & Anna; 3 < 4 > 2",
        "AT&T; fine",
        "über die Straße",
        "интернет-provider и слово",
        "日本語のテキスト",
        "сухое OK",
        "α-helix and β",
    ],
)
def test_signs_and_words_of_several_alphabets_are_no_fault(text: str) -> None:
    assert found(with_texts([text])) == []


def test_the_pace_of_a_set_is_fitted_whatever_some_texts_are() -> None:
    rng = np.random.default_rng(0)
    characters = rng.integers(10, 100, 500)
    seconds = (0.6 + 0.07 * characters) * np.exp(rng.normal(0, 0.12, 500))
    wrong = rng.permutation(500)[:75]
    seconds[wrong] = rng.permutation(seconds)[:75]
    pace = pace_of(characters.tolist(), seconds.tolist())
    assert pace.pause == pytest.approx(0.6, abs=0.15)
    assert pace.per_character == pytest.approx(0.07, abs=0.003)
    assert pace.spread == pytest.approx(0.13, abs=0.03)
    assert isinstance(pace, Pace)


def test_texts_that_do_not_fit_their_time_are_found() -> None:
    texts = [f"a sentence of {'many ' * (index % 7)}words" for index in range(60)]
    seconds = [0.5 + 0.07 * said_length(text) for text in texts]
    seconds[10], seconds[20], seconds[30] = 12.0, 1.1, 0.9
    texts[30] = "so many words that nobody can say them in less than one second"
    kinds = dict(found(with_texts(texts, seconds)))
    assert kinds == {"10": "text too short", "20": "text too long", "30": "text too long"}
    assert found(with_texts(texts, seconds))[0][0] == "30"  # impossible, not only unusual


def test_numbers_take_the_time_of_their_words() -> None:
    texts = [f"a sentence of {'many ' * (index % 7)}words" for index in range(60)] + ["in the year 1984 and 2001"]
    seconds = [0.5 + 0.07 * said_length(text) for text in texts[:-1]]
    assert found(with_texts(texts, [*seconds, 4.2])) == []


# Between utterances and sets


def test_doubled_sound_weighs_by_its_text_and_its_set(tmp_path: Path) -> None:
    first, second, *_ = recordings()
    same = replace(first, id="same", text=f"{(first.text or '').upper()}!")
    other = replace(second, id="other", text="something else")
    test = replace(first, id="test", speaker=None, text=None)
    items = checked([first, second, same, other]) + checked([test], "test.jsonl")
    assert found(items) == [("test", "in two sets"), ("other", "doubled"), ("same", "doubled")]
    messages = [suspect.findings[0].message for suspect in report_of(items).suspects]
    assert "'arctic_a0015_1592748256' of train.jsonl" in messages[0]
    assert f"whose text is '{second.text}'" in messages[1]


def test_speakers_and_sentences_that_two_sets_share_are_named_and_short_texts_are_not() -> None:
    train = recordings()
    nine = Utterance("nine", train[9].audio_path, text=train[9].text)
    test = [replace(train[0], text="AURORA"), train[2], train[5], nine]
    leaks = report_of(checked([*train[:4], train[9]]) + checked(test, "test.jsonl")).leaks
    shown = [(leak.kind, leak.first, leak.second, leak.shared, leak.utterances) for leak in leaks]
    assert shown == [
        ("speakers", "train.jsonl", "test.jsonl", ("cathy", "LJ"), 2),
        ("sentences", "train.jsonl", "test.jsonl", (train[2].text,), 1),
    ]


# Reports


class Players(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_the_page_escapes_texts_and_its_players_find_the_sound(tmp_path: Path) -> None:
    shutil.copy(DATA / "lbby5a.ogg", tmp_path / 'it\'s "100%" #1.ogg')
    evil = "<script>alert('x')</script> \u200b"
    item = Utterance("<b>id</b>", tmp_path / 'it\'s "100%" #1.ogg', text=evil, offset=0.5, duration=1.0)
    (tmp_path / "pages").mkdir()
    page = to_html(report_of(checked([item], "<i>train</i>.jsonl")), folder=tmp_path / "pages")
    players = Players()
    players.feed(page)
    assert not {"script", "b", "i"} & set(players.tags)
    assert "&lt;script&gt;" in page
    (source,) = players.sources
    address, fragment = source.split("#")
    assert (tmp_path / "pages" / unquote(address)).is_file()
    assert fragment == "t=0.500,1.500"
    assert not re.search(r"https?://", page)


def test_json_holds_every_finding(tmp_path: Path) -> None:
    items = checked([Utterance("lost", tmp_path / "lost.wav", text="a", origin="train.jsonl:7"), *recordings()])
    report = json.loads(to_json(report_of(items, broken=["x.jsonl:3: is broken"])))
    assert report["sets"][0]["utterances"] == 12
    assert sum(report["sets"][0]["lengths"]) == 11
    (suspect,) = report["suspects"]
    assert (suspect["id"], suspect["origin"], suspect["findings"][0]["kind"]) == ("lost", "train.jsonl:7", "unreadable")
    assert report["broken"] == ["x.jsonl:3: is broken"]


# The command


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    write_manifest(tmp_path / "train.jsonl", recordings())
    return tmp_path / "train.jsonl"


def test_the_exit_status_tells_clean_from_faults_from_what_could_not_be_read(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(manifest)]) == 0
    assert "Nothing suspicious was found." in capsys.readouterr().out
    lost = Utterance("lost", tmp_path / "lost.wav", text="hello")
    write_manifest(tmp_path / "faulty.jsonl", [*recordings(), lost])
    capsys.readouterr()
    assert run(["check", str(tmp_path / "faulty.jsonl"), "--html", str(tmp_path / "page.html")]) == 4
    said = capsys.readouterr().out
    assert "Suspicious utterances: 1 (1 unreadable), worst first:" in said
    assert "lost.wav: there is no such file" in said.replace("\n", "")
    assert "lost" in (tmp_path / "page.html").read_text()
    with manifest.open("a") as file:
        file.write("{broken\n")
    assert run(["check", str(manifest), str(tmp_path / "absent.jsonl")]) == 1
    said = capsys.readouterr().err
    assert "train.jsonl:12: is not valid JSON" in said
    assert "absent.jsonl: cannot be read" in said


def test_what_is_no_manifest_is_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = wav(tmp_path / "sound.wav", speech())
    (tmp_path / "notes.txt").write_text("one\ntwo\n" * 50)
    for path, told in (
        (sound, "binary file, such as audio"),
        (tmp_path / "notes.txt", "none of 100 lines"),
        (tmp_path, "prepare"),
    ):
        assert run(["check", str(path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(str(path))
        assert told in line


def test_the_cleaned_manifest_and_what_is_left_out_hold_every_line_with_its_reason(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *rest = read_manifest(manifest)
    faulty = [
        replace(first, text="<b>Aurora</b>", extra={"city": "Oslo"}),
        *rest,
        Utterance("lost", tmp_path / "lost.wav"),
    ]
    write_manifest(manifest, faulty)
    target = tmp_path / "elsewhere" / "clean.jsonl"
    assert run(["check", str(manifest), "--output", str(target)]) == 4
    assert [(one.id, one.text) for one in read_manifest(target)] == [(one.id, one.text) for one in rest]
    left_out = read_manifest(tmp_path / "elsewhere/clean.left_out.jsonl")
    assert [one.id for one in left_out] == [first.id, "lost"]
    assert left_out[0].extra == {"city": "Oslo", "reason": "markup: <b>, </b>: write what is said alone"}
    assert left_out[1].extra["reason"].startswith("unreadable: ")
    assert f"{target}: 10 utterances; 2 left out, listed in" in capsys.readouterr().err
    assert run(["check", str(target)]) == 0
    assert run(["check", str(manifest), "--output", str(manifest)]) == 2


def test_several_manifests_are_cleaned_into_a_folder(manifest: Path, tmp_path: Path) -> None:
    first, *rest = recordings()
    write_manifest(tmp_path / "test.jsonl", [replace(first, id="again"), rest[0]])
    write_manifest(manifest, [first, *rest[1:]])
    assert run(["check", str(manifest), str(tmp_path / "test.jsonl"), "--output", str(tmp_path / "clean")]) == 4
    assert len(read_manifest(tmp_path / "clean/train.jsonl")) == 10
    assert [one.id for one in read_manifest(tmp_path / "clean/test.jsonl")] == [rest[0].id]
    assert [one.id for one in read_manifest(tmp_path / "clean/test.left_out.jsonl")] == ["again"]


def test_without_a_model_no_torch_is_loaded(manifest: Path) -> None:
    code = f"import sys; from asr_s2s.cli import run; print(run(['check', {str(manifest)!r}]), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
