"""What the command makes of files, channels and manifests, and what it says of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import asr_s2s
from asr_s2s.audio import read_audio
from asr_s2s.cli import run
from asr_s2s.manifest import read_manifest

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"
CLIP = DATA / "lbby5a.ogg"


def test_lines_that_cannot_be_used_cost_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = [
        '{"audio_filepath": "a.wav", "duration": 1e400}',
        '{"audio_filepath": "a.wav", "duration": ' + "9" * 400 + "}",
        '{"audio_filepath": "a.wav", "x": NaN}',
        "no json",
        json.dumps({"audio_filepath": "n/" * 3000 + "x.wav", "id": "long"}),
        json.dumps({"audio_filepath": str(CLIP), "offset": 1e9, "id": "late"}),
        json.dumps({"audio_filepath": str(CLIP), "offset": 1e15, "id": "later"}),
        json.dumps({"audio_filepath": str(CLIP), "duration": 1e15, "id": "longer"}),
        json.dumps({"audio_filepath": "a\0b.wav"}),
        json.dumps({"audio_filepath": "missing.wav", "text": "t" * 1_000_000}),
    ]
    good = json.dumps({"audio_filepath": str(CLIP), "id": "good", "kept": [1, {"a": "ü"}]})
    (tmp_path / "in.jsonl").write_text("\n".join([*odd, good]) + "\n", encoding="utf-8")
    command = ["transcribe", "--manifest", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out.jsonl")]
    assert run([*command, "--model", "commands"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(odd) + 2
    assert said[-2:] == [f"1 utterance written to {tmp_path / 'out.jsonl'}: 6 words", "10 of 11 utterances failed"]
    assert all(len(line) < 3000 for line in said)
    found = {one.id: one for one in read_manifest(tmp_path / "out.jsonl")}
    assert {name for name, one in found.items() if one.pred_text is not None} == {"good"}
    assert set(found) == {"long", "late", "later", "longer", "missing", "good"}
    assert (found["good"].pred_text, found["good"].extra["kept"]) == ("lay blue by y five again", [1, {"a": "ü"}])


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """A call of two parties, who take turns, and one of whom only one channel holds anything."""
    agent, caller = (read_audio(DATA / name) for name in ("lbby5a.ogg", "swbc1s.ogg"))
    pause = np.zeros(8_000, np.float32)
    turns = [(0, agent), (1, caller), (0, agent)]
    channels = [
        np.concatenate([part for who, sound in turns for part in (sound if who == number else 0 * sound, pause)])
        for number in (0, 1)
    ]
    soundfile.write(tmp_path / "call.wav", np.stack(channels, axis=1), 16_000)
    soundfile.write(tmp_path / "muted.wav", np.stack([channels[0], 0 * channels[0]], axis=1), 16_000)
    return tmp_path


def test_two_channels_are_one_dialogue_in_the_order_of_time(call: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["transcribe", str(call / "call.wav"), "-m", "commands", "--dialogue", "--channel-names", "agent, caller"]
    assert run([*command, "-f", "txt,json", "--format", "srt", "-o", str(call / "out")]) == 0
    assert sorted(path.name for path in (call / "out").iterdir()) == ["call.json", "call.srt", "call.txt"]
    lines = (call / "out" / "call.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == ["agent", "caller", "agent"]
    assert [line.split(": ")[1].split()[0] for line in lines] == ["lay", "set", "lay"]
    segments = json.loads((call / "out" / "call.json").read_text())["segments"]
    assert [(one["speaker"], one["channel"]) for one in segments] == [("agent", 1), ("caller", 2), ("agent", 1)]
    starts = [one["start"] for one in segments]
    assert starts == sorted(starts)
    assert "agent: lay" in (call / "out" / "call.srt").read_text()
    assert capsys.readouterr().err.endswith(f"3 files written to {call / 'out'}: 18 words\n")
    assert run([*command, "--channel", "each", "-o", str(call / "all"), "--quiet"]) == 0
    assert sorted(path.name for path in (call / "all").iterdir()) == [
        "call.channel-1.txt", "call.channel-2.txt", "call.txt",
    ]  # fmt: skip
    assert (call / "all" / "call.channel-2.txt").read_text().startswith("set ")
    (call / "all" / "call.txt").unlink()
    assert run([*command, "--channel", "each", "-o", str(call / "all"), "--resume"]) == 0
    assert (call / "all" / "call.txt").read_text() == (call / "out" / "call.txt").read_text()
    assert "2 are done already" not in capsys.readouterr().err


def test_a_muted_channel_is_an_empty_transcript_and_no_failure(call: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["transcribe", str(call / "muted.wav"), "-m", "commands", "-o", str(call / "out"), "-f", "json,ctm,txt"]
    assert run([*command, "--channel", "each"]) == 0
    muted = json.loads((call / "out" / "muted.channel-2.json").read_text())
    assert (muted["text"], list(muted["flags"])) == ("", ["no_speech"])
    assert muted["flags"]["no_speech"] > 0.9
    assert (call / "out" / "muted.channel-1.ctm").read_text().startswith("muted 1 ")
    assert "channel 2: no speech found (0.99; if there is speech, use --no-vad) at 0:00" in capsys.readouterr().err
    assert run([*command, "--channel", "each", "--no-vad"]) == 0
    assert "no_speech" in json.loads((call / "out" / "muted.channel-2.json").read_text())["flags"]
    capsys.readouterr()
    assert run([*command, "--channel", "each", "--resume"]) == 0
    assert "2 of 2 are done already." in capsys.readouterr().err
    assert run(["transcribe", str(call / "muted.wav"), "-m", "commands", "--channel", "2"]) == 1
    assert "holds only silence" in capsys.readouterr().err
    assert run(["transcribe", str(call / "muted.wav"), "-m", "commands", "--dialogue", "--channel-names", "a,b,c"]) == 2
    assert "muted.wav: has 2 channels, and --channel-names has 3." in capsys.readouterr().err


def test_hot_words_are_counted_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "words.txt").write_text("again\n")
    options = ["--hotwords", str(tmp_path / "words.txt"), "--hotword", "by y", "--hotword", "nine"]
    assert run(["transcribe", str(CLIP), "-m", "commands", *options]) == 0
    printed = capsys.readouterr()
    assert printed.out == "lay blue by y five again\n"
    assert printed.err == "hot words found: by y (1), again (1); not found: nine\n"


def test_a_quiet_command_says_nothing_but_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(CLIP), str(tmp_path / "missing.wav")]
    assert run(["transcribe", *files, "-m", "commands", "-q", "-o", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"{tmp_path / 'missing.wav'}: there is no such file. Check the path.",
        "1 of 2 files failed",
    ]


def test_the_short_letter_of_output_names_a_manifest_beside_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"audio_filepath": str(CLIP)}) + "\n")
    command = ["transcribe", "--manifest", str(tmp_path / "in.jsonl"), "-m", "commands", "-o"]
    assert run([*command, str(tmp_path / "out.jsonl")]) == 0
    assert [one.pred_text for one in read_manifest(tmp_path / "out.jsonl")] == ["lay blue by y five again"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([str(CLIP), "-o", "talk.srt", "-f", "srt"], "talk.srt: looks like a file, and -o names a folder."),
        ([str(CLIP), "-o", "a", "--output-dir", "b"], "-o is short for --output-dir. Give one of them."),
        ([str(CLIP), "--channel-names", "a,b"], "--channel-names has no effect without --dialogue or --channel each"),
        ([str(CLIP), "--dialogue", "--channel", "2"], "--channel has no effect beside --dialogue"),
        ([str(CLIP), "-f", "srt,doc"], "--format doc: unknown."),
        ([str(CLIP), "--formatt", "srt"], "Try 'asr-s2s transcribe --help'."),
        (["--manifest", "x.jsonl", "-o", "y.jsonl", "--dialogue"], "--dialogue has no effect beside --manifest"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["transcribe", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_version_and_an_address_are_answered_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"asr-s2s {asr_s2s.__version__}\n"
    assert run(["transcribe", "https://example.com/talk.mp3", "-m", "commands"]) == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        "https://example.com/talk.mp3: URLs are not supported. Download the file, and name that."
    )
    assert run([]) == 2
    assert capsys.readouterr().err == "Name a command. Try 'asr-s2s --help'.\n"
