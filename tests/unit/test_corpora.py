"""Readers on their publishers' layouts, made here of real recordings; lhotse 1.33 reads the same trees beside them."""

import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from corpora import SPEECH, copy, faults_of, read, shown, write

from asr_s2s.data.corpora import CORPORA, measure, read_corpus
from asr_s2s.errors import ManifestError
from asr_s2s.manifest import Word, read_manifest, write_manifest
from asr_s2s.transcripts import FORMATS, Segment, Transcript

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", dict(CORPORA))
def test_every_reader_says_so_if_there_is_nothing_at_the_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"absent: .*Name"):
        read_corpus(name, tmp_path / "absent")


def test_an_unknown_layout_names_the_nearest_known_one() -> None:
    with pytest.raises(
        ManifestError, match=r"no reader for 'kladi'\. Did you mean 'kaldi'\? Known: librispeech, common-voice,"
    ):
        read_corpus("kladi", Path())


def test_a_reader_gives_a_manifest_that_reads_back(tmp_path: Path) -> None:
    copy("lbby5a", tmp_path / "in/a.wav")
    write(tmp_path / "in/a.txt", "lay blue")
    utterances = read("folder", tmp_path / "in")
    write_manifest(tmp_path / "out/train.jsonl", utterances)
    again = read_manifest(tmp_path / "out/train.jsonl")
    assert [shown(item) for item in again] == [shown(item) for item in utterances]


# Plain folders


def test_a_folder_pairs_audio_of_any_kind_with_its_text_at_any_depth(tmp_path: Path) -> None:
    copy("lbby5a", tmp_path / "one/a.flac")
    copy("prac8p", tmp_path / "b.OGG".lower())
    shutil.copy(SPEECH["swbc1s"], tmp_path / "one/c.d.OGG")
    write(tmp_path / "one/a.txt", "\ufefflay  blue\nby y\n")
    write(tmp_path / "b.txt", "Größe")
    write(tmp_path / "one/c.d.txt", "")
    write(tmp_path / "README.txt", "about the corpus")
    write(tmp_path / "._b.wav", "what some systems leave behind")
    assert [shown(item) for item in read("folder", tmp_path)] == [
        ("b", str((tmp_path / "b.ogg").resolve()), 0.0, 2.978, "Größe", None),
        ("one/a", str((tmp_path / "one/a.flac").resolve()), 0.0, 2.978, "lay blue by y", None),
        ("one/c.d", str((tmp_path / "one/c.d.OGG").resolve()), 0.0, 2.978, "", None),
    ]


def test_a_folder_lists_all_that_does_not_pair(tmp_path: Path) -> None:
    copy("lbby5a", tmp_path / "good.ogg")
    write(tmp_path / "good.txt", "lay blue")
    copy("lbby5a", tmp_path / "untold.ogg")
    write(tmp_path / "untold.srt", "")
    write(tmp_path / "lonely.txt", "no sound")
    copy("lbby5a", tmp_path / "double.ogg")
    copy("lbby5a", tmp_path / "double.wav")
    write(tmp_path / "double.txt", "twice")
    write(tmp_path / "broken.wav", "no sound at all")
    write(tmp_path / "broken.txt", "words")
    copy("lbby5a", tmp_path / "latin.ogg")
    (tmp_path / "latin.txt").write_bytes("Größe".encode("latin-1"))
    faults = faults_of("folder", tmp_path)
    assert [fault.split(": ")[0] for fault in faults] == [
        str(tmp_path / name) for name in ("double.wav", "latin.txt", "untold.ogg", "lonely.txt", "broken.wav")
    ]
    assert "untold.txt is missing beside it. Its captions" in faults[2]
    assert "utterance 'broken'" in faults[4]


def test_a_folder_is_read_behind_links_and_without_what_is_hidden(tmp_path: Path) -> None:
    for place in ("corpus/b", "elsewhere/a", "corpus/.hidden/a"):
        copy("9_george_9", tmp_path / f"{place}.ogg")
        write(tmp_path / f"{place}.TXT", "nine")
    (tmp_path / "corpus/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "corpus/up").symlink_to(tmp_path / "corpus")  # no way round in circles
    assert [one.id for one in read("folder", tmp_path / "corpus")] == ["b", "linked/a"]


CORRECTED = Transcript((Segment(0.0, 0.75, "lay, blue"), Segment(0.9, 1.25, "by <Q>")), duration=1.9, language="en")


@pytest.mark.parametrize("name", ["srt", "vtt", "textgrid", "json"])
def test_corrected_transcripts_become_utterances_with_their_times(tmp_path: Path, name: str) -> None:
    audio = str(copy("lbby5a", tmp_path / "talks/one.wav").resolve())
    write(tmp_path / f"talks/one{FORMATS[name].suffix}", FORMATS[name].write(CORRECTED))
    assert [shown(item) for item in read("transcripts", tmp_path)] == [
        ("talks/one@0", audio, 0.0, 0.75, "lay, blue", None),
        ("talks/one@900", audio, 0.9, 0.35, "by <Q>", None),
    ]


def test_a_transcript_that_cannot_be_used_is_left_out_by_its_name(tmp_path: Path) -> None:
    for name in ("good", "untold", "broken", "two", "late", "empty"):
        copy("lbby5a", tmp_path / f"{name}.ogg")
    write(tmp_path / "good.srt", FORMATS["srt"].write(CORRECTED))
    write(tmp_path / "good.json", FORMATS["json"].write(CORRECTED))  # the same text: taken once
    write(tmp_path / "broken.vtt", "00:00.000 --> 00:01.000\nlay blue\n")
    write(tmp_path / "two.srt", FORMATS["srt"].write(CORRECTED).replace("lay", "play"))
    write(tmp_path / "two.vtt", FORMATS["vtt"].write(CORRECTED))
    write(tmp_path / "late.srt", "1\n00:00:01,000 --> 00:01:02,000\nlay\n\n2\n00:00:01,000 --> 00:00:01,000\nlay\n")
    write(tmp_path / "empty.srt", "")
    write(tmp_path / "lonely.TextGrid", FORMATS["textgrid"].write(CORRECTED))
    faults = faults_of("transcripts", tmp_path)
    expected = [
        "broken.vtt:1: is not WebVTT",
        "empty.srt: holds no text",
        "late.srt, 1.00 s: ends at 1.00 s",
        "two.vtt: its text is another than",
    ]
    expected += [
        "untold.ogg: no transcript is beside it (untold.textgrid, untold.srt",
        "lonely.TextGrid: no audio file",
    ]
    expected += ["late.srt, 1.00 s: utterance 'late@1000' goes from 1.00 s to 62.00 s"]
    assert len(faults) == len(expected)
    assert all(fault.startswith(f"{tmp_path}/{words}") for fault, words in zip(faults, expected, strict=True))


def test_a_folder_without_audio_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "words")
    with pytest.raises(ManifestError, match=r"holds no audio file .*\.wav"):
        read("folder", tmp_path)


# LibriSpeech


def librispeech(root: Path) -> Path:
    chapter = root / "dev-clean/1272/128104"
    for number, name in enumerate(SPEECH):
        copy(name, chapter / f"1272-128104-{number:04}.flac")
    lines = [f"1272-128104-{number:04} {name.upper()} IS SAID\n" for number, name in enumerate(SPEECH)]
    write(chapter / "1272-128104.trans.txt", "".join(lines))
    copy("swbc1s", root / "dev-clean/84/121123/84-121123-0000.flac")
    write(root / "dev-clean/84/121123/84-121123.trans.txt", "84-121123-0000 SET WHITE\n")
    return root


def test_librispeech_is_read_as_lhotse_reads_it(tmp_path: Path) -> None:
    from lhotse.recipes.librispeech import prepare_librispeech

    root = librispeech(tmp_path / "LibriSpeech")
    parts = prepare_librispeech(root)["dev-clean"]
    expected = sorted(
        (item.id, recording.sources[0].source, 0.0, round(recording.duration, 3), item.text, item.speaker)
        for item in parts["supervisions"]
        for recording in [parts["recordings"][item.recording_id]]
    )
    assert len(expected) == 5
    assert sorted(map(shown, read("librispeech", root))) == expected


def test_librispeech_lists_sound_without_any_transcript(tmp_path: Path) -> None:
    root = librispeech(tmp_path)
    copy("swbc1s", root / "dev-clean/84/121550/84-121550-0000.flac")
    place = f"{root}/dev-clean/84/121550/84-121550-0000.flac"
    assert [fault.split(". Add")[0] for fault in faults_of("librispeech", root)] == [
        f"{place}: has no line in a .trans.txt file beside it"
    ]


def test_librispeech_lists_every_broken_line_and_lost_file(tmp_path: Path) -> None:
    root = librispeech(tmp_path)
    chapter = root / "dev-clean/1272/128104"
    (chapter / "1272-128104-0001.flac").unlink()
    write(chapter / "1272-128104-0002.flac", "no sound")
    transcript = chapter / "1272-128104.trans.txt"
    lines = transcript.read_text().splitlines()
    write(transcript, "\n".join([lines[0], lines[1], lines[2], "1272-128104-0003", "", lines[0]]))
    copy("swbc1s", root / "dev-clean/84/121123/84-121123-0001.flac")
    faults = faults_of("librispeech", root)
    assert len(faults) == 5
    text = "\n".join(faults)
    assert f"{transcript}:2: 1272-128104-0001.flac is not in {chapter}. Add it" in text
    assert f"{transcript}:4: '1272-128104-0003' has no text." in text
    assert "84-121123-0001.flac: has no line in 84-121123.trans.txt." in text
    assert f"{transcript}:6: the id '1272-128104-0000' stands on {transcript}:1 too." in text
    assert f"{transcript}:3: utterance '1272-128104-0002': " in text


# Kaldi


def kaldi(folder: Path) -> Path:
    copy("lbby5a", folder / "wav/one.wav")
    copy("prac8p", folder / "wav/two.flac")
    write(folder / "wav.scp", f"rec1 {folder}/wav/one.wav\nrec2\t{folder}/wav/two.flac\n")
    write(folder / "segments", "utt1 rec1 0.5 1.25\nutt2 rec1 1.25 2.9\nutt3 rec2 0 2.9\n")
    write(folder / "text", "utt1 lay  blue\nutt2 by y\nutt3 plaçe red\n")
    write(folder / "utt2spk", "utt1 anna\nutt2 anna\nutt3 bert\n")
    return folder


def test_kaldi_is_read_as_lhotse_reads_it(tmp_path: Path) -> None:
    from lhotse.kaldi import load_kaldi_data_dir

    recordings, supervisions, _ = load_kaldi_data_dir(kaldi(tmp_path), sampling_rate=16_000)
    assert supervisions
    expected = [
        (item.id, path.sources[0].source, item.start, round(item.duration, 3), item.text, item.speaker)
        for item in supervisions
        for path in [recordings[item.recording_id]]
    ]
    assert len(expected) == 3
    assert [shown(item) for item in read("kaldi", tmp_path)] == expected


def test_kaldi_without_segments_takes_whole_recordings_and_paths_from_a_folder_above(tmp_path: Path) -> None:
    copy("lbby5a", tmp_path / "WAVE/my speech.wav")  # speechocean762's layout, and a blank in a path
    write(tmp_path / "data/train/wav.scp", "utt1 WAVE/my speech.wav\n")
    (item,) = read("kaldi", tmp_path / "data/train")
    assert shown(item) == ("utt1", str((tmp_path / "WAVE/my speech.wav").resolve()), 0.0, 2.978, None, None)


def test_kaldi_segments_may_end_a_little_late_or_with_the_recording(tmp_path: Path) -> None:
    kaldi(tmp_path)
    write(tmp_path / "segments", "utt1 rec1 1 -1\nutt2 rec1 1 3.4\nutt3 rec2 1 2\n")
    assert [shown(item)[3] for item in read("kaldi", tmp_path)] == [1.978, 1.978, 1.0]


def test_kaldi_commands_are_not_run(tmp_path: Path) -> None:
    kaldi(tmp_path)
    write(tmp_path / "wav.scp", f"rec1 touch {tmp_path}/ran; cat wav/one.wav |\nrec2 wav/two.flac\n")
    faults = faults_of("kaldi", tmp_path)
    assert "is a command, and commands that come with data are not run. Run it yourself" in faults[0]
    assert not (tmp_path / "ran").exists()


def test_kaldi_lists_every_broken_line_of_every_file(tmp_path: Path) -> None:
    kaldi(tmp_path)
    write(tmp_path / "wav/three.wav", "no sound")
    with (tmp_path / "wav.scp").open("a") as file:
        file.write("rec3 wav/three.wav\nrec4 wav/lost.wav\nrec5\nrec1 wav/one.wav\n")
    with (tmp_path / "segments").open("a") as file:
        file.write("utt4 rec9 0 1\nutt5 rec1 2 1\nutt6 rec1 0 9\nutt7 rec1 zero one\nutt1 rec1 0 1\nutt8 rec2 0 1\n")
        file.write("utt9 rec3 0 1\n")
    with (tmp_path / "text").open("a") as file:
        file.write("utt99 nobody\nutt1 again\nutt6 long\nutt9 no sound\n")
    expected = [
        ("wav.scp:4", "wav/lost.wav is not there"),
        ("wav.scp:5", "'rec5' has no path"),
        ("wav.scp:6", "the recording 'rec1' stands on"),
        ("segments:4", "the recording 'rec9' is not in wav.scp"),
        ("segments:5", "'utt5' goes from 2.0 s to 1.0 s"),
        ("segments:7", "'utt7 rec1 zero one' is not 'utterance recording start end'"),
        ("text:4", "there is no utterance 'utt99'"),
        ("text:5", "the utterance 'utt1' has an earlier line"),
        ("segments:8", "the id 'utt1' stands on"),
        ("segments:9", "'utt8' has no line in text"),
        ("segments:6", "utterance 'utt6' goes from 0.00 s to 9.00 s, its recording to 2.98 s"),
        ("segments:10", "utterance 'utt9': "),
    ]
    for fault, (place, words) in zip(faults_of("kaldi", tmp_path), expected, strict=True):
        assert fault.startswith(f"{tmp_path}/{place}: {words}")
    remaining = measure(read_corpus("kaldi", tmp_path), source=tmp_path).corpus.utterances
    assert [item.id for item in remaining] == ["utt1", "utt2", "utt3"]


# lhotse


def lhotse_sets(folder: Path) -> tuple[Any, Any]:
    from lhotse import Recording, RecordingSet, SupervisionSegment, SupervisionSet
    from lhotse.supervision import AlignmentItem

    recordings = [
        Recording.from_file(copy(name, folder / f"{name}.flac"), recording_id=name) for name in ("lbby5a", "prac8p")
    ]
    words = {
        "word": [AlignmentItem("lay", 0.5, 0.25, 0.75), AlignmentItem("", 0.75, 0.1), AlignmentItem("blue", 1, 0.5)]
    }
    supervisions = [
        SupervisionSegment("s1", "lbby5a", 0.25, 1.5, text="lay blue", speaker="anna", alignment=words, gender="f"),
        SupervisionSegment("s2", "lbby5a", 1.75, 1.0, text="by y", language="English", custom={"take": 3}),
        SupervisionSegment("s3", "prac8p", 0, recordings[1].duration, text="place red"),
    ]
    return RecordingSet.from_recordings(recordings), SupervisionSet.from_segments(supervisions)


@pytest.mark.parametrize("layout", ["sets", "cuts", "trimmed"])
def test_lhotse_supervisions_become_utterances_in_times_of_the_file(tmp_path: Path, layout: str) -> None:
    from lhotse import CutSet

    recordings, supervisions = lhotse_sets(tmp_path)
    if layout == "sets":
        recordings.to_file(tmp_path / "x_recordings_train.jsonl.gz")
        supervisions.to_file(tmp_path / "x_supervisions_train.jsonl.gz")
    else:
        cuts = CutSet.from_manifests(recordings, supervisions)
        cuts = cuts if layout == "cuts" else cuts.trim_to_supervisions(keep_overlapping=False)
        cuts.to_eager().to_file(tmp_path / "cuts_train.jsonl.gz")
    utterances = sorted(read("lhotse", tmp_path), key=lambda item: item.id)
    assert [shown(item) for item in utterances] == [
        ("s1", str((tmp_path / "lbby5a.flac").resolve()), 0.25, 1.5, "lay blue", "anna"),
        ("s2", str((tmp_path / "lbby5a.flac").resolve()), 1.75, 1.0, "by y", None),
        ("s3", str((tmp_path / "prac8p.flac").resolve()), 0.0, 2.978, "place red", None),
    ]
    words = [("lay", 0.5, 0.75, 0.75), ("blue", 1.0, 1.5, None)]
    assert utterances[0].words == (None if layout == "trimmed" else tuple(Word(*word) for word in words))
    assert utterances[0].extra == {"gender": "f"}
    assert (utterances[1].language, utterances[1].extra["take"]) == ("English", 3)


@pytest.mark.parametrize(("start", "left_out"), [(-0.125, []), (-0.75, ["goes from -0.75 s"])])
def test_lhotse_supervisions_that_begin_before_their_recording_are_cut_or_left_out(
    tmp_path: Path, start: float, left_out: list[str]
) -> None:
    from lhotse import SupervisionSegment, SupervisionSet

    recordings, supervisions = lhotse_sets(tmp_path)
    early = SupervisionSegment("early", "lbby5a", start, 1.0, text="lay")
    recordings.to_file(tmp_path / "recordings.jsonl")
    SupervisionSet.from_segments([early, *supervisions]).to_file(tmp_path / "supervisions.jsonl")
    corpus = measure(read_corpus("lhotse", tmp_path), source=tmp_path).corpus
    found = {one.id: (one.offset, one.duration) for one in corpus.utterances}
    assert found.get("early") == (None if left_out else (0.0, 0.875))
    assert len(found) == 3 + (not left_out)
    assert [words in item.message for words, item in zip(left_out, corpus.left_out, strict=True)] == [True] * len(
        left_out
    )


def test_lhotse_cuts_without_supervision_have_no_text(tmp_path: Path) -> None:
    from lhotse import CutSet

    recordings, _ = lhotse_sets(tmp_path)
    cuts = CutSet.from_manifests(recordings).cut_into_windows(1.5)
    cuts.to_eager().to_file(tmp_path / "windows.jsonl")
    utterances = read("lhotse", tmp_path / "windows.jsonl")
    assert [(item.offset, item.text) for item in utterances] == [(0.0, None), (1.5, None)] * 2


def test_lhotse_lists_every_line_that_cannot_be_used(tmp_path: Path) -> None:
    from lhotse import CutSet

    recordings, supervisions = lhotse_sets(tmp_path)
    good, other = CutSet.from_manifests(recordings, supervisions)
    unmixed = [good, other.perturb_speed(1.1), good.mix(other), good, other]
    lines = [json.dumps(cut.to_dict()) for cut in unmixed]
    lost = json.loads(lines[4])
    lost["recording"]["sources"][0]["source"] = "lost.flac"
    command = json.loads(lines[4])
    command["recording"]["sources"][0] |= {"type": "command", "source": f"touch {tmp_path}/ran"}
    stereo = json.loads(lines[4])
    stereo["recording"]["sources"][0]["channels"] = [0, 1]
    stereo["recording"]["channel_ids"] = [0, 1]
    path = tmp_path / "cuts.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write("\n".join([*lines[:4], *map(json.dumps, (lost, command, stereo)), "{", '{"type": "MonoCut"}', "7"]))
    expected = [
        (2, "is changed on reading (transforms). Save the changed audio"),
        (3, "is a MixedCut, not a MonoCut. Save each"),
        (4, "the id 's1' stands on"),
        (4, "the id 's2' stands on"),
        (5, "names lost.flac, neither in the working folder nor in"),
        (6, "comes from a command, not a file."),
        (7, "has 2 channels."),
        (8, "is not valid JSON"),
        (9, "lhotse cannot read it as a MonoCut"),
        (10, "lhotse cannot read it as a MonoCut"),
    ]
    for fault, (number, words) in zip(faults_of("lhotse", path), expected, strict=True):
        assert fault.startswith(f"{path}:{number}: ")
        assert words in fault
    assert not (tmp_path / "ran").exists()


def test_lhotse_supervisions_of_unknown_recordings_are_listed(tmp_path: Path) -> None:
    recordings, supervisions = lhotse_sets(tmp_path)
    recordings.filter(lambda item: item.id == "prac8p").to_file(tmp_path / "recordings.jsonl")
    supervisions.to_file(tmp_path / "supervisions.jsonl")
    faults = faults_of("lhotse", tmp_path)
    assert len(faults) == 2
    assert all("there is no recording 'lbby5a'. Add it, or remove the supervision." in fault for fault in faults)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cuts.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}" * 100)[:20])
    with pytest.raises(ManifestError, match=r"cuts\.jsonl\.gz: cannot be read .*Save it again"):
        read("lhotse", path)


# NeMo


def test_nemo_keeps_the_manifest_and_fills_in_durations(tmp_path: Path) -> None:
    copy("lbby5a", tmp_path / "a.ogg")
    line = {"audio_filepath": "a.ogg", "offset": 1.0, "text": "blue by y", "take": 3}
    write(tmp_path / "train.json", json.dumps(line) + "\n")
    (item,) = read("nemo", tmp_path / "train.json")
    assert (item.id, item.text, item.offset, item.duration) == (
        "a@1000",
        "blue by y",
        1.0,
        pytest.approx(1.978, abs=1e-3),
    )
    assert item.extra["take"] == 3


def test_nemo_lists_audio_that_is_not_there_or_ends_too_early(tmp_path: Path) -> None:
    copy("lbby5a", tmp_path / "a.ogg")
    lines: list[dict[str, Any]] = [
        {"audio_filepath": "a.ogg", "duration": 2.0},
        {"audio_filepath": "b.ogg", "duration": 2.0},
        {"audio_filepath": "a.ogg", "offset": 7},
    ]
    path = write(tmp_path / "train.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    faults = faults_of("nemo", path)
    assert faults[0].startswith(f"{path}:2: utterance 'b': ")
    assert faults[1].startswith(f"{path}:3: utterance 'a@7000' goes from 7.00 s, its recording to 2.98 s")
    assert len(faults) == 2


def test_many_faults_are_counted_and_the_first_shown(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"audio_filepath": f"{number}.wav"}) + "\n" for number in range(50))
    with pytest.raises(ManifestError) as error:
        read("nemo", write(tmp_path / "train.jsonl", lines))
    head, *faults = str(error.value).split("\n")
    assert "50 are left out" in head
    assert len(faults) == 21
    assert faults[-1] == "and 30 more"


@pytest.mark.parametrize("corpus", ["csv", "nemo", "kaldi", "librispeech", "lhotse"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path, corpus: str) -> None:
    for name in ("table.csv", "wav.scp", "text", "1-2.trans.txt", "cuts.jsonl", "cuts.jsonl.gz"):
        os.mkfifo(tmp_path / name)
    source = tmp_path / "table.csv" if corpus in ("csv", "nemo") else tmp_path
    try:
        assert not read_corpus(corpus, source).utterances
    except ManifestError as error:
        assert str(tmp_path) in str(error)  # noqa: PT017 - what is left out need not be refused
