"""The command as users run it: a process of its own, real recordings, standard output and exit status."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib import image

from asr_s2s.audio import read_audio, write_audio
from asr_s2s.manifest import read_manifest, write_manifest
from asr_s2s.model_store import model_folder

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
AURORA = DATA / "arctic_a0015_1592748256.ogg"


def asr_s2s(*arguments: object, given: bytes | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "asr_s2s", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, timeout=300, check=False)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_one_file_gives_its_text_on_standard_output_and_nothing_else() -> None:
    done = asr_s2s("transcribe", AURORA)
    assert (done.stdout, done.stderr, done.returncode) == ("It's the Aurora Borealis.\n", "", 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device")
def test_a_full_disk_is_said_and_is_no_fault_of_ours() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "asr_s2s", "transcribe", str(AURORA)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert done.stderr == "standard output: No space left on device. Files that were written before are whole.\n"


def test_a_file_that_the_disk_does_not_take_is_named(tmp_path: Path) -> None:
    command = f"ulimit -f 0; {sys.executable} -m asr_s2s transcribe {AURORA} --format json --output-dir {tmp_path}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert f"{tmp_path / AURORA.stem}.json: " in done.stderr
    assert "File too large" in done.stderr


def test_a_working_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    command = f"cd {tmp_path / 'gone'}; rmdir {tmp_path / 'gone'}; {sys.executable} -m asr_s2s transcribe {AURORA}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "The working folder is not there any more. Change to another one.\n"


def test_a_pipe_that_the_disk_does_not_take_is_said() -> None:
    command = f"ulimit -f 1; exec {sys.executable} -m asr_s2s transcribe - --model commands"
    done = subprocess.run(["bash", "-c", command], input=bytes(100_000), capture_output=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().endswith("(File too large). Set TMPDIR to another folder.\n")


def test_a_reader_that_has_gone_is_a_signal() -> None:
    command = [sys.executable, "-m", "asr_s2s", "transcribe", str(AURORA)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait(timeout=300)) == (b"", 128 + signal.SIGPIPE)


@pytest.mark.parametrize("jobs", [1, 2])
def test_standard_input_is_read(jobs: int) -> None:
    done = asr_s2s("transcribe", "-", "--jobs", jobs, given=AURORA.read_bytes())
    assert done.stdout == "It's the Aurora Borealis.\n"


def test_a_library_that_cannot_be_loaded_is_no_fault_of_ours() -> None:
    command = f"ulimit -v 500000; exec {sys.executable} -m asr_s2s transcribe --runtime torch {AURORA}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "A library cannot be loaded (lib" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_files_are_named_one_line_each_and_the_good_are_transcribed(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "letter.mp3").write_text("Dear Sir or Madam, this is no sound at all. " * 50)
    write_audio(tmp_path / "silent.wav", np.zeros(16_000, np.float32), sample_rate=16_000)
    whole = AURORA.read_bytes()
    (tmp_path / "cut.ogg").write_bytes(whole[:200])
    bad = [tmp_path / name for name in ("missing.wav", "empty.wav", "letter.mp3", "silent.wav", "cut.ogg")]
    done = asr_s2s("transcribe", *bad[:2], AURORA, *bad[2:], "--output-dir", tmp_path / "out")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    for path, line in zip(bad, lines, strict=False):
        assert str(path) in line
    assert lines[-2:] == [f"1 file written to {tmp_path / 'out'}: 4 words", "5 of 6 files failed"]
    assert len(lines) == 7
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{AURORA.stem}.txt"]
    assert (tmp_path / "out" / f"{AURORA.stem}.txt").read_text() == "It's the Aurora Borealis.\n"


def test_damaged_files_are_transcribed_as_far_as_they_go_and_said_to_be_damaged(tmp_path: Path) -> None:
    write_audio(tmp_path / "whole.wav", read_audio(AURORA), sample_rate=16_000)
    write_audio(tmp_path / "cut.wav", read_audio(DATA / "LJ001-0076.ogg"), sample_rate=16_000)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "cut.wav").read_bytes()[:-64_000])
    files = [tmp_path / "cut.wav", tmp_path / "whole.wav"]
    done = asr_s2s("transcribe", *files, "-f", "json,txt", "-o", tmp_path / "out")
    number = sum(len(path.read_text().split()) for path in (tmp_path / "out").glob("*.txt"))
    reason = "is cut off: 64000 bytes are missing"
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{files[0]}: {reason} from 6.97 to 8.97 s; the rest was transcribed",
        f"4 files written to {tmp_path / 'out'}: {number} words",
        "1 of 2 files damaged; what can be decoded was transcribed",
    ]
    cut, whole = (json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in ("cut", "whole"))
    assert cut["damage"] == [{"start": 6.97, "end": pytest.approx(8.97, abs=0.01), "reason": reason}]
    assert "through the whole of the seventeenth century" in cut["text"].lower()
    assert (whole["damage"], whole["text"]) == ([], "It's the Aurora Borealis.")

    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"audio_filepath": path.name}) + "\n" for path in files))
    done = asr_s2s("transcribe", "--manifest", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert (done.returncode, first["damage"], "damage" in second) == (1, cut["damage"], False)

    done = asr_s2s("transcribe", *files, "--strict")
    assert (done.returncode, done.stdout) == (1, f"{files[1]}: It's the Aurora Borealis.\n")
    assert done.stderr.splitlines() == [
        f"{files[0]}: {reason} from 6.97 to 8.97 s. Copy or record it again.",
        "1 of 2 files failed",
    ]


def test_all_formats_are_written_and_say_the_same(tmp_path: Path) -> None:
    done = asr_s2s("transcribe", AURORA, "--format", "all", "--output-dir", tmp_path)
    assert done.returncode == 0
    assert {path.name.removeprefix(AURORA.stem) for path in tmp_path.iterdir()} == {
        ".TextGrid", ".ctm", ".html", ".json", ".jsonl", ".seglst.json", ".srt", ".stm", ".trn", ".tsv", ".txt", ".vtt"
    }  # fmt: skip
    assert all(re.search("Aurora.*Borealis", path.read_text(), re.DOTALL) for path in tmp_path.iterdir())


def test_a_recording_longer_than_the_window_is_cut_at_silences_and_keeps_its_words(tmp_path: Path) -> None:
    clips = [read_audio(DATA / f"{name}.ogg") for name in ("LJ001-0076", AURORA.stem, "common_voice_en_37266650")]
    pause = np.zeros(8_000, np.float32)
    write_audio(tmp_path / "long.flac", np.concatenate([*clips, pause] * 3), sample_rate=16_000)
    done = asr_s2s("transcribe", tmp_path / "long.flac", "--format", "json")
    transcript = json.loads(done.stdout)
    assert transcript["text"].lower().count("aurora borealis") == 3
    assert transcript["text"].lower().count("native populations") == 3
    times = [(segment["start"], segment["end"]) for segment in transcript["segments"]]
    assert len(times) >= 2
    assert all(end - start <= 30.0 for start, end in times)


def test_pictures_are_drawn_for_each_piece_with_the_words_where_they_were_said(tmp_path: Path) -> None:
    clip, pause = read_audio(AURORA), np.zeros(16_000 * 2, np.float32)
    write_audio(tmp_path / "two.wav", np.concatenate([clip, *[pause] * 4, clip]), sample_rate=16_000)
    done = asr_s2s("transcribe", tmp_path / "two.wav", AURORA, "--plot", "--output-dir", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    pictures = sorted((tmp_path / "out").glob("*.png"))
    assert [path.name for path in pictures] == [f"{AURORA.stem}.png", "two.001.png", "two.002.png"]
    for path in pictures:  # the colours of words, and of attention
        colours = image.imread(path)[:, :, :3]
        assert (np.ptp(colours, axis=2) > 0.1).mean() > 0.3
    refused = asr_s2s("transcribe", AURORA, "--plot")
    assert (refused.returncode, "--output-dir" in refused.stderr) == (2, True)


def test_a_language_model_is_trained_and_bends_what_is_written(tmp_path: Path) -> None:
    (clip,) = [item for item in read_manifest(DATA / "manifest.jsonl") if item.id == "lbby5a"]
    assert clip.text == "lay blue by y five again"
    lines = "\n".join(f"{verb} blue by y nine {end}" for verb in ("lay", "set", "bin") for end in ("now", "again"))
    (tmp_path / "lines.txt").write_text(f"{lines}\n" * 30)
    trained = asr_s2s(
        "train", ROOT / "conf" / "language_model.yaml", f"data.train=[{tmp_path / 'lines.txt'}]", "data.dev_share=0.2",
        "model.channels=64", "training.epochs=40", "training.learning_rate=1e-2", "--output", tmp_path / "language",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    shutil.copytree(model_folder("commands"), tmp_path / "commands")
    texts = []
    for weight in (0.05, 2.0):
        config = (tmp_path / "commands" / "config.yaml").read_text().split("  language_weight")[0].rstrip()
        (tmp_path / "commands" / "config.yaml").write_text(f"{config}\n  language_weight: {weight}\n")
        found = asr_s2s("transcribe", clip.audio_path, "--model", tmp_path / "commands",
                        "--language-model", tmp_path / "language", "--beam", 8)  # fmt: skip
        texts.append(found.stdout.strip())
    assert texts == ["lay blue by y five again", "lay blue by y nine again"]
    refused = asr_s2s("transcribe", clip.audio_path, "--language-model", tmp_path / "language")
    assert (refused.returncode, "has another vocabulary" in refused.stderr) == (2, True)


def test_a_manifest_goes_through_transcribe_and_score(tmp_path: Path) -> None:
    done = asr_s2s("transcribe", "--manifest", DATA / "manifest.jsonl", "--output", tmp_path / "out.jsonl")
    assert done.returncode == 0
    given, written = read_manifest(DATA / "manifest.jsonl"), read_manifest(tmp_path / "out.jsonl")
    assert [(item.id, item.text) for item in written] == [(item.id, item.text) for item in given]
    assert all(item.pred_text is not None and "confidence" in item.extra for item in written)
    report = tmp_path / "report.json"
    scored = asr_s2s("score", tmp_path / "out.jsonl", "--normalizer", "whisper-english", "--json", report)
    assert scored.returncode == 0
    assert "whisper-english" in scored.stdout
    assert json.loads(report.read_text())


def test_a_folder_is_transcribed_in_its_own_order_of_folders_and_only_what_is_missing(tmp_path: Path) -> None:
    for place in ("a/one.ogg", "b/one.ogg"):
        (tmp_path / "talks" / place).parent.mkdir(parents=True)
        (tmp_path / "talks" / place).write_bytes(AURORA.read_bytes())
    (tmp_path / "talks" / "notes.txt").write_text("no sound")
    assert asr_s2s("transcribe", tmp_path / "talks", "--output-dir", tmp_path / "out").returncode == 0
    written = [tmp_path / "out" / place for place in ("a/one.txt", "b/one.txt")]
    assert sorted((tmp_path / "out").rglob("*.txt")) == written
    written[0].write_text("mine")
    written[1].unlink()
    again = asr_s2s("transcribe", tmp_path / "talks", "--output-dir", tmp_path / "out", "--resume")
    left_out = f"{tmp_path / 'talks'}: 1 file left out, hidden or without sound: notes.txt\n"
    written_again = f"1 file written to {tmp_path / 'out'}: 4 words\n"
    assert again.stderr == f"{left_out}1 of 2 are done already.\n{written_again}"
    assert written[0].read_text() == "mine"
    assert written[1].exists()
    assert asr_s2s("transcribe", tmp_path / "out").returncode == 2  # no audio in it


def test_each_channel_of_a_call_has_a_transcript_of_its_own(tmp_path: Path) -> None:
    first, second = (read_audio(DATA / f"{name}.ogg") for name in (AURORA.stem, "common_voice_en_37266650"))
    both = np.zeros((max(len(first), len(second)), 2), np.float32)
    both[: len(first), 0], both[: len(second), 1] = first, second
    soundfile.write(tmp_path / "call.wav", both, 16_000)
    done = asr_s2s("transcribe", tmp_path / "call.wav", "--channel", "each", "--output-dir", tmp_path / "out")
    assert done.returncode == 0
    texts = [(tmp_path / "out" / f"call.channel-{channel}.txt").read_text().lower() for channel in (1, 2)]
    assert ["aurora" in text for text in texts] == [True, False]
    assert ["native" in text for text in texts] == [False, True]


def test_two_processes_write_the_same_in_the_same_order(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    files = [item.audio_path for item in read_manifest(DATA / "manifest.jsonl")][:8] * 3
    files.insert(5, tmp_path / "empty.wav")
    one, two = (asr_s2s("transcribe", *files, "--precision", "float32", *more) for more in ((), ("--jobs", 2)))
    assert (two.stdout, two.stderr, two.returncode) == (one.stdout, one.stderr, one.returncode)
    assert two.stdout.count("\n") == 24
    refused = asr_s2s("transcribe", AURORA, "--model", "nobody", "--jobs", 2)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("nobody: is neither a shipped model")


def is_alive(group: int) -> bool:
    """Tell whether there is a process of a group, one that nobody has waited for among them."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def begun(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], Path]:
    """Begin to transcribe many recordings, and wait until the first transcript is there."""
    out = folder / "out"
    for number in range(400):
        (folder / f"{number:03d}.ogg").symlink_to(AURORA)
    command = [sys.executable, "-m", "asr_s2s", "transcribe", str(folder), "--model", "commands", *arguments]
    process = subprocess.Popen(
        [*command, "--output-dir", str(out)], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 200
    while not (out.exists() and any(out.glob("[0-9]*.txt"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return process, out


def wait_until_gone(group: int) -> None:
    deadline = time.monotonic() + 20
    while is_alive(group):
        assert time.monotonic() < deadline, "a process is left"
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interruption_ends_all_processes_and_keeps_what_is_done(tmp_path: Path, jobs: str, number: int) -> None:
    process, out = begun(tmp_path, "--jobs", jobs)
    there = len(list(out.glob("[0-9]*.txt")))
    os.killpg(process.pid, number)  # as a terminal or a service manager does: to every process
    said = process.communicate(timeout=100)[1]
    done = list(out.iterdir())
    assert process.returncode == 128 + number
    counts = (len(done), len(done) - 1)  # the signal may come between a file and its count
    assert said in [f"Interrupted; {count} of 400 files written\n" for count in counts]
    assert there <= len(done) < 400
    assert {one.suffix for one in done} == {".txt"}
    assert all(one.read_text() for one in done)
    wait_until_gone(process.pid)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_manifest_has_what_is_done_when_the_command_is_terminated(tmp_path: Path, jobs: str) -> None:
    manifest, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines = [json.dumps({"audio_filepath": str(AURORA), "id": str(number)}) for number in range(400)]
    lines[350] = json.dumps(
        {"audio_filepath": "nowhere.ogg", "id": "350"}
    )  # too far to be read before all else is done
    manifest.write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "asr_s2s", "transcribe", "--manifest", manifest, "--output", target]
    process = subprocess.Popen(
        [*command, "--model", "commands", "--jobs", jobs], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    assert "nowhere.ogg" in process.stderr.readline()  # said in the midst of the work
    process.terminate()
    process.send_signal(signal.SIGHUP)  # as service managers may; Python sees the one or the other first
    said = process.communicate(timeout=100)[1]
    assert process.returncode in (143, 129)
    texts = [one.pred_text for one in read_manifest(target)]
    assert said == f"Interrupted; {len([text for text in texts if text])} of 400 utterances written\n"
    assert len(texts) == 400
    assert 0 < len([text for text in texts if text]) < 400
    wait_until_gone(process.pid)


def test_an_earlier_recognition_in_a_manifest_is_replaced_and_true_words_stay(tmp_path: Path) -> None:
    manifest, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    old = {"pred_text": "old", "model": "other", "time_source": "ctc", "flags": {"loop": 4.0}}
    words = [{"word": "old", "start": 0.0, "end": 0.5}]
    lines = [
        {"audio_filepath": str(AURORA), "id": "recognised", "words": words, **old},
        {"audio_filepath": str(AURORA), "id": "true", "words": words, "pred_words": [], **old},
        {"audio_filepath": "nowhere.ogg", "id": "gone", **old},
    ]
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    done = asr_s2s("transcribe", "--manifest", manifest, "--output", target)
    assert done.returncode == 1
    assert "nowhere.ogg" in done.stderr
    recognised, true, gone = map(json.loads, target.read_text().splitlines())
    for line in (recognised, true):
        assert (line["pred_text"], line["model"], line["flags"]) == ("It's the Aurora Borealis.", "en", {})
    assert [word["word"] for word in recognised["words"]] == ["It's", "the", "Aurora", "Borealis."]
    assert true["words"] == words
    assert [word["word"] for word in true["pred_words"]] == ["It's", "the", "Aurora", "Borealis."]
    assert gone == {"id": "gone", "audio_filepath": gone["audio_filepath"]}


def test_a_manifest_line_names_its_recording_as_seen_from_its_folder(tmp_path: Path) -> None:
    shutil.copy(AURORA, tmp_path / "talk.ogg")
    assert asr_s2s("transcribe", tmp_path / "talk.ogg", "-f", "jsonl", "-o", tmp_path / "out").returncode == 0
    (utterance,) = read_manifest(tmp_path / "out" / "talk.jsonl")
    assert json.loads((tmp_path / "out" / "talk.jsonl").read_text())["audio_filepath"] == "../talk.ogg"
    assert utterance.audio_path.resolve() == (tmp_path / "talk.ogg").resolve()


def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    process, _ = begun(tmp_path, "--jobs", "2")
    process.kill()
    process.communicate(timeout=100)
    wait_until_gone(process.pid)


def test_a_manifest_is_gone_on_with(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    command = ("transcribe", "--manifest", DATA / "manifest.jsonl", "--output", target)
    assert asr_s2s(*command).returncode == 0
    whole = read_manifest(target)
    write_manifest(target, [replace(one, pred_text="mine") if one.id == AURORA.stem else one for one in whole[:9]])
    assert asr_s2s(*command, "--resume").returncode == 0
    texts = {one.id: one.pred_text for one in read_manifest(target)}
    assert texts == {one.id: one.pred_text for one in whole} | {AURORA.stem: "mine"}


def test_a_recording_without_speech_gives_no_words_and_a_flag(tmp_path: Path) -> None:
    done = asr_s2s("transcribe", DATA / "dishes.ogg", "--format", "json")
    transcript = json.loads(done.stdout)
    assert (transcript["text"], done.returncode) == ("", 0)
    assert transcript["segments"][0]["flags"]["no_speech"] > 0.5
    assert "no speech found" in done.stderr
    assert "--no-vad" in done.stderr


def test_names_that_no_terminal_or_file_holds_cost_no_transcript(tmp_path: Path) -> None:
    latin, umlaut = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.ogg"), str(tmp_path / "ü.ogg")
    longest = str(tmp_path / ("n" * 251 + ".ogg"))
    for name in (latin, umlaut, longest):
        shutil.copy(DATA / "lbby5a.ogg", name)
    command = [sys.executable, "-m", "asr_s2s", "transcribe", latin, umlaut, longest, "--model", "commands"]
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    printed = subprocess.run(command, env=ascii_only, capture_output=True, timeout=300, check=False)
    assert printed.returncode == 0
    assert printed.stdout.count(b"?.ogg: lay blue by y five again\n") == 2
    files = [*command, "--output-dir", str(tmp_path / "out"), "--format", "json", "--format", "txt"]
    written = subprocess.run(files, capture_output=True, timeout=300, check=False)
    assert written.returncode == 1
    assert written.stderr.count(b"\n") == 3  # the name that is too long with '.json', what was written, the count
    assert b"4 files written to" in written.stderr
    assert b": 12 words\n" in written.stderr
    assert b"File name too long" in written.stderr
    there = sorted((tmp_path / "out").iterdir(), key=os.fsencode)
    expected = [b"caf\xe9.json", b"caf\xe9.txt", "ü.json".encode(), "ü.txt".encode()]
    assert [os.fsencode(path.name) for path in there] == expected
    document = json.loads(there[0].read_bytes())
    assert document["audio_filepath"].endswith("caf\ufffd.ogg")


@pytest.mark.parametrize(("closed", "status"), [("<&-", 0), ("2>&-", 0), (">&-", 1), (">&- 2>&- <&-", 1)])
def test_closed_streams_are_no_fault_and_no_success(closed: str, status: int, tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m asr_s2s transcribe {DATA / 'lbby5a.ogg'} --model commands {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    if "2>&-" not in closed and status:
        assert "standard output" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("transcribe",), "one of the two"),
        (("transcribe", "x.wav", "--format", "doc"), "--format doc: unknown. Choose from txt, json"),
        (("transcribe", "x.wav", "--channel", "0"), "--channel 0"),
        (("transcribe", "x.wav", "--model", "klingon"), "klingon: is neither a shipped model"),
        (("transcribe", "x.wav", "--beem", "3"), "No such option"),
        (("score", "nowhere.jsonl"), "nowhere.jsonl"),
        (("train", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
    ],
)
def test_wrong_use_says_what_to_do_and_exits_with_2(arguments: tuple[str, ...], words: str) -> None:
    done = asr_s2s(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_help_answers_without_loading_torch() -> None:
    code = "import sys, asr_s2s.cli; status = asr_s2s.cli.run(['--help']); print('torch' in sys.modules, status)"
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False 0"
    assert time.perf_counter() - started < 30  # the figure is in the README; this catches a network or a hang


def test_transcribing_loads_nothing_that_it_does_not_need() -> None:
    code = f"""
import sys, asr_s2s
asr_s2s.load("en").transcribe({str(AURORA)!r})
heavy = ("torchaudio", "lhotse", "librosa", "matplotlib", "transformers", "scipy")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
