"""Nothing leaves the machine, and no file is left but what was asked for: watched by strace, with the network cut."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from debian import program

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
CLIP = DATA / "lbby5a.ogg"
BY_PYTHON = f"import asr_s2s; print(asr_s2s.load('commands').transcribe({str(CLIP)!r}).text)"


@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "asr_s2s", "transcribe", str(CLIP), "--model", "commands"],
        ["-m", "asr_s2s", "transcribe", str(CLIP), str(DATA / "prac8p.ogg"), "--model", "commands", "--jobs", "2"],
        ["-c", BY_PYTHON],
    ],
    ids=["command", "workers", "Python"],
)
def test_a_transcription_opens_no_socket_and_leaves_no_file(arguments: list[str], tmp_path: Path) -> None:
    strace, unshare = program("strace", package="strace"), program("unshare", package="util-linux")
    home, log = tmp_path / "home", tmp_path / "calls"
    home.mkdir()
    places = {name: str(home) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    watched = [strace, "--follow-forks", "--seccomp-bpf", "--quiet=all", "--trace=socket,connect", "--output", str(log)]
    cut = [unshare, "--user", "--map-root-user", "--net"]
    done = subprocess.run(
        [*cut, *watched, sys.executable, *arguments],
        env=own | places | {"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "lay blue by y five again" in done.stdout, done.stderr
    assert "AF_INET" not in log.read_text()
    assert list(home.rglob("*")) == []


def test_the_watch_sees_a_look_up(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    code = "import socket\ntry: socket.getaddrinfo('example.org', 80)\nexcept OSError: pass\nsocket.socket().close()"
    watched = [program("strace", package="strace"), "--follow-forks", "--trace=socket", "--output", str(log)]
    subprocess.run([*watched, sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert "AF_INET" in log.read_text()
