"""Each corpus in the layout of its publisher, with one entry or more at fault: the good ones are read all the same.

The sound is short and real; where lhotse 1.33 has a recipe, it reads the same tree beside ours.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from corpora import SPEECH, copy, write

from asr_s2s.audio import read_audio
from asr_s2s.data.corpora import measure, read_corpus
from asr_s2s.errors import ManifestError

pytestmark = pytest.mark.unit

Rows = list[tuple[str, str, str | None, str | None]]  # part, id, text, speaker


def prepared(name: str, source: Path) -> tuple[Rows, list[str]]:
    """Give the utterances, and the causes and first words of what is left out."""
    corpus = measure(read_corpus(name, source), source=source).corpus
    rows = [(part, item.id, item.text, item.speaker) for part, each in corpus.parts.items() for item in each.values()]
    return rows, [f"{item.cause}: {item.message.removeprefix(str(source))}" for item in corpus.left_out]


def sound(path: Path, *, audio_format: str | None = None) -> Path:
    """Write half a second of speech in the format of the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, read_audio(SPEECH["9_george_9"]), 16_000, format=audio_format)
    return path


def common_voice(root: Path) -> Rows:
    names = "client_id path sentence_id sentence sentence_domain up_votes down_votes age gender accents variant locale"
    columns = "\t".join([*names.split(), "segment"])
    for number in range(4):
        sound(root / f"clips/common_voice_en_{number}.mp3")
    row = "{}\tcommon_voice_en_{}.mp3\tab12\t{}\t\t2\t0\ttwenties\tfemale_feminine\tEngland English\t\ten\t"
    good = [row.format("spk1", 0, '"To be," he said.'), row.format("spk2", 1, "Größe ist relativ.")]
    bad = [row.format("spk3", 9, "lost clip"), row.format("spk3", 2, " "), row.format("spk3", 2, "a\ttab")]
    write(root / "train.tsv", "\n".join([columns, *good, *bad]) + "\n")
    write(root / "test.tsv", "\n".join([columns, row.format("spk4", 3, "A test.")]) + "\n")
    return [
        ("train", "common_voice_en_0", '"To be," he said.', "spk1"),
        ("train", "common_voice_en_1", "Größe ist relativ.", "spk2"),
        ("test", "common_voice_en_3", "A test.", "spk4"),
    ]


def tedlium(root: Path) -> Rows:
    folder = root / "legacy/train"
    copy("lbby5a", folder / "talk.wav")
    sound_of_talk, rate = soundfile.read(folder / "talk.wav")
    for part in ("train", "dev"):
        (root / f"legacy/{part}/sph").mkdir(parents=True, exist_ok=True)
        soundfile.write(root / f"legacy/{part}/sph/{part}Talk_2010.sph", sound_of_talk, rate, format="NIST")
    (folder / "talk.wav").unlink()
    lines = [
        "trainTalk_2010 1 trainTalk_2010 0.25 1.00 <o,f0,female> it 's blue <unk> and they do n't",
        "trainTalk_2010 1 trainTalk_2010 1.00 1.20 <o,,unknown> ignore_time_segment_in_scoring",
        "trainTalk_2010 1 trainTalk_2010 1.20 1.50 <o,f0,female> {NOISE}",
        "trainTalk_2010 1 trainTalk_2010 1.50 9.99 <o,f0,female> beyond the end",
        "trainTalk_2010 1 trainTalk_2010 two 2.00 <o,f0,female> broken",
        "trainTalk_2010 1 trainTalk_2010 2.00 2.50 <o,f0,female> again",
    ]
    write(folder / "stm/trainTalk_2010.stm", "\n".join(lines) + "\n")
    write(folder / "stm/lostTalk_2010.stm", lines[0] + "\n")
    write(folder / "sph/untold_2010.sph", "talk without a table")
    write(root / "legacy/dev/stm/devTalk_2010.stm", "devTalk_2010 1 devTalk_2010 0 2 <o,f0,male> we 're here\n")
    return [
        ("train", "trainTalk_2010-0", "it's blue and they don't", "trainTalk_2010"),
        ("train", "trainTalk_2010-5", "again", "trainTalk_2010"),
        ("dev", "devTalk_2010-0", "we're here", "devTalk_2010"),
    ]


def an4(root: Path) -> Rows:
    for name in ("an4_clstk/fash/an251-fash-b", "an4_clstk/fash/an253-fash-b", "an4test_clstk/fcaw/an406-fcaw-b"):
        sound(root / f"wav/{name}.sph", audio_format="NIST")
    ids = "an4_clstk/fash/an251-fash-b\nan4_clstk/fash/an253-fash-b\nan4_clstk/mblb/an9-mblb-b\n"
    write(root / "etc/an4_train.fileids", ids)
    told = "<s> YES </s> (an251-fash-b)\n<s> GO </s> (an9-mblb-b)\n<s> RUBOUT G M E F </s>\n<s> </s> (an253-fash-b)\n"
    write(root / "etc/an4_train.transcription", told)
    write(root / "etc/an4_test.fileids", "an4test_clstk/fcaw/an406-fcaw-b\n")
    write(root / "etc/an4_test.transcription", "RUBOUT G M E F THREE NINE (an406-fcaw-b)\n")
    return [("train", "an251-fash-b", "YES", "fash"), ("test", "an406-fcaw-b", "RUBOUT G M E F THREE NINE", "fcaw")]


def ljspeech(root: Path) -> Rows:
    for name in ("LJ001-0001", "LJ001-0002", "LJ001-0009"):
        sound(root / f"wavs/{name}.wav")
    lines = [
        "LJ001-0001|in 1455,|in fourteen fifty-five,",
        'LJ001-0002|"in being|"in being',
        "LJ001-0003|lost|lost",
        "LJ001-0004 no bars",
        "LJ001-0005|one bar",
    ]
    write(root / "metadata.csv", "\n".join(lines) + "\n")
    return [("all", "LJ001-0001", "in fourteen fifty-five,", "LJ"), ("all", "LJ001-0002", '"in being', "LJ")]


def speech_commands(root: Path) -> Rows:
    for name in (
        "bed/0a7c_nohash_0",
        "bed/0a7c_nohash_1",
        "zero/1b2d_nohash_0",
        "zero/strange",
        "_background_noise_/tap",
    ):
        sound(root / f"{name}.wav")
    write(root / "validation_list.txt", "bed/0a7c_nohash_1.wav\nbed/ffff_nohash_0.wav\n")
    write(root / "testing_list.txt", "zero/1b2d_nohash_0.wav\n")
    return [
        ("train", "bed/0a7c_nohash_0", "bed", "0a7c"),
        ("dev", "bed/0a7c_nohash_1", "bed", "0a7c"),
        ("test", "zero/1b2d_nohash_0", "zero", "1b2d"),
    ]


def yesno(root: Path) -> Rows:
    for name in ("0_1_0_1_0_1_1_0", "1_0_0_0_0_0_0_0", "0_1_2_0_0_0_0_0"):
        sound(root / f"{name}.wav")
    write(root / "0_0_0_0_0_0_0_0.wav", "no sound")
    write(root / "README", "about")
    return [
        ("train", "0_1_0_1_0_1_1_0", "no yes no yes no yes yes no", "yesno"),
        ("test", "1_0_0_0_0_0_0_0", "yes no no no no no no no", "yesno"),
    ]


def voxforge(root: Path) -> Rows:
    sound(root / "Aaron-20080318-kdl/wav/b0019.wav")
    lines = "Aaron-20080318-kdl/mfc/b0019 HE WAS A BOLD MAN\nAaron-20080318-kdl/mfc/b0020 LOST\nA/mfc/b0021\n"
    write(root / "Aaron-20080318-kdl/etc/PROMPTS", lines)
    write(root / "Aaron-20080318-kdl/etc/prompts-original", "b0019 not read beside PROMPTS\n")
    sound(root / "anonymous-20100101-abc/flac/a0001.flac")
    write(root / "anonymous-20100101-abc/etc/prompts-original", "a0001 Author of the danger trail.\n")
    write(root / "empty-20100101-abc/etc/PROMPTS", "x/mfc/a1 WORDS\n")
    sound(root / "anonymous-20100101-abc/flac/a0002.flac")
    sound(root / "untold-20100101-abc/wav/a1.wav")
    return [
        ("all", "Aaron-20080318-kdl/b0019", "HE WAS A BOLD MAN", "Aaron"),
        ("all", "anonymous-20100101-abc/a0001", "Author of the danger trail.", "anonymous-20100101-abc"),
    ]


LAYOUTS: list[tuple[str, Callable[[Path], Rows], list[str]]] = [
    (
        "common-voice",
        common_voice,
        [
            "no audio file: /train.tsv:4: common_voice_en_9.mp3 is not in",
            "no text: /train.tsv:5: 'common_voice_en_2.mp3'",
            "broken line: /train.tsv:6: has 14 columns of 13. Take tabs out",
        ],
    ),
    (
        "tedlium",
        tedlium,
        [
            "no audio file: /legacy/train/stm/lostTalk_2010.stm: lostTalk_2010.sph is not in",
            "no text: /legacy/train/stm/trainTalk_2010.stm:3: holds no word",
            "broken line: /legacy/train/stm/trainTalk_2010.stm:5: is not 'talk channel",
            "no text: /legacy/train/sph/untold_2010.sph: has no line in any table of ../stm",
            "not within its recording: /legacy/train/stm/trainTalk_2010.stm:4: utterance 'trainTalk_2010-3' goes",
        ],
    ),
    (
        "an4",
        an4,
        [
            "no audio file: /etc/an4_train.transcription:2: an9-mblb-b.sph is not in",
            "broken line: /etc/an4_train.transcription:3: '<s> RUBOUT G M E F </s>' does not end with an id",
            "no text: /etc/an4_train.transcription:4: 'an253-fash-b' has no text",
        ],
    ),
    (
        "ljspeech",
        ljspeech,
        [
            "no audio file: /metadata.csv:3: LJ001-0003.wav is not in",
            "broken line: /metadata.csv:4: has 1 columns",
            "broken line: /metadata.csv:5: has 2 columns, not 3 as the lines before",
            "no text: /wavs/LJ001-0009.wav: has no line in metadata.csv",
        ],
    ),
    (
        "speech-commands",
        speech_commands,
        [
            "no audio file: /validation_list.txt:2: bed/ffff_nohash_0.wav is not there",
            "broken line: /zero/strange.wav: is not named SPEAKER_nohash_N.wav",
        ],
    ),
    (
        "yesno",
        yesno,
        [
            "broken line: /0_1_2_0_0_0_0_0.wav: is not named by eight digits",
            "unreadable file: /0_0_0_0_0_0_0_0.wav: utterance '0_0_0_0_0_0_0_0': ",
        ],
    ),
    (
        "voxforge",
        voxforge,
        [
            "no audio file: /Aaron-20080318-kdl/etc/PROMPTS:2: there is no sound file 'b0020'",
            "no text: /Aaron-20080318-kdl/etc/PROMPTS:3: 'b0021' has no text",
            "no text: /anonymous-20100101-abc/flac/a0002.flac: has no line in etc/prompts-original",
            "unreadable file: /empty-20100101-abc: holds no wav/*.wav or flac/*.flac",
            "no text: /untold-20100101-abc/wav/a1.wav: has no line in etc/PROMPTS or etc/prompts-original",
        ],
    ),
]


@pytest.mark.parametrize(("name", "lay_out", "left_out"), LAYOUTS, ids=[layout[0] for layout in LAYOUTS])
def test_a_published_layout_is_read_and_what_is_broken_in_it_listed(
    name: str, lay_out: Callable[[Path], Rows], left_out: list[str], tmp_path: Path
) -> None:
    expected = lay_out(tmp_path)
    rows, faults = prepared(name, tmp_path)
    assert rows == expected
    for fault, words in zip(faults, left_out, strict=True):
        assert fault.startswith(words)


@pytest.mark.parametrize("name", [layout[0] for layout in LAYOUTS])
def test_another_folder_is_refused_with_what_is_missing_in_it(name: str, tmp_path: Path) -> None:
    write(tmp_path / "notes.md", "nothing to hear")
    with pytest.raises(ManifestError, match=r"holds no .*Name the folder that the corpus was unpacked into"):
        read_corpus(name, tmp_path)


def test_the_printed_text_of_ljspeech_and_the_columns_of_common_voice_are_kept(tmp_path: Path) -> None:
    ljspeech(tmp_path / "lj")
    common_voice(tmp_path / "cv")
    assert read_corpus("ljspeech", tmp_path / "lj").utterances[0].extra == {"printed": "in 1455,"}
    first = read_corpus("common-voice", tmp_path / "cv").utterances[0]
    assert (first.language, first.extra) == (
        "en",
        {"age": "twenties", "gender": "female_feminine", "accents": "England English"},
    )


# Tables


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'path,text,speaker_id,mood\na.ogg,"yes, it is",s1,calm\nb.ogg,no,s2\nc.ogg,lost,s3,glad\n'),
        ("a.csv", "path;text;speaker_id;mood\na.ogg;yes, it is;s1;calm\nb.ogg;no;s2\nc.ogg;lost;s3;glad\n"),
        ("a.tsv", "path\ttext\tspeaker_id\tmood\na.ogg\tyes, it is\ts1\tcalm\nb.ogg\tno\ts2\nc.ogg\tlost\ts3\tglad\n"),
    ],
)
def test_a_table_is_read_by_its_header_whatever_parts_its_columns(name: str, content: str, tmp_path: Path) -> None:
    copy("lbby5a", tmp_path / "a.ogg")
    path = write(tmp_path / name, "\ufeff" + content)
    rows, faults = prepared("csv", path)
    assert rows == [("all", "a", "yes, it is", "s1")]
    assert read_corpus("csv", path).utterances[0].extra == {"mood": "calm"}
    assert [fault.split(": ")[:2] for fault in faults] == [["broken line", ":3"], ["no audio file", ":4"]]


def test_a_table_without_the_columns_names_those_it_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "clip,words\na.ogg,yes\n")
    with pytest.raises(
        ManifestError, match=r"its first line names clip, words; none of audio_filepath.*Name the column"
    ):
        read_corpus("csv", path)


# lhotse's recipes


def as_lhotse_reads(name: str, source: Path) -> list[tuple[Any, ...]]:
    items = measure(read_corpus(name, source), source=source).corpus.utterances
    return sorted((item.id, item.audio_path.resolve(), item.text, round(item.duration or 0, 3)) for item in items)


def test_a_recipe_of_lhotse_reads_a_corpus_that_we_read_too(tmp_path: Path) -> None:
    for number in (1, 2):
        sound(tmp_path / f"wavs/LJ001-000{number}.wav")
    write(tmp_path / "metadata.csv", "LJ001-0001|one,|one,\nLJ001-0002|two|two\n")
    assert as_lhotse_reads("lhotse:ljspeech", tmp_path) == as_lhotse_reads("ljspeech", tmp_path)


def test_the_parts_of_a_recipe_become_parts(tmp_path: Path) -> None:
    tree = tmp_path / "LibriSpeech/dev-clean/1272/128104"
    sound(tree / "1272-128104-0000.flac")
    write(tree / "1272-128104.trans.txt", "1272-128104-0000 HE IS\n")
    rows, faults = prepared("lhotse:librispeech", tmp_path / "LibriSpeech")
    assert (rows, faults) == ([("dev-clean", "1272-128104-0000", "HE IS", "1272")], [])


def test_a_recipe_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"lhotse has no recipe 'tedlum'. Did you mean 'tedlium2?'"):
        read_corpus("lhotse:tedlum", tmp_path)
    with pytest.raises(
        ManifestError, match=r"'heroico' needs speech_dir and transcript_dir. Run 'lhotse prepare heroico'"
    ):
        read_corpus("lhotse:heroico", tmp_path)
    with pytest.raises(
        ManifestError, match=r"lhotse's recipe 'ljspeech' cannot read it \(AssertionError: No such file"
    ):
        read_corpus("lhotse:ljspeech", tmp_path)
