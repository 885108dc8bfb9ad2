"""A browser, and a report page in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian import program
from playwright.sync_api import Browser, Page, sync_playwright
from scoring_page import HOSTILE, SOUND, opened, real_lines, write_report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = program("chromium", package="chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]  # CI runs as root
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real texts of two pages of utterances; one has its recording, with the times of its words, one is hostile."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(SOUND, folder / "a b#1.ogg")
    lines = real_lines()
    said = "and things got worse and worse through the whole of the seventeenth century"
    heard = "and things got verse and worse the whole of the uh seventeenth century"
    words = [{"word": word, "start": at / 2, "end": at / 2 + 0.4} for at, word in enumerate(heard.split())]
    lines.append(
        {
            "id": "heard",
            "audio_filepath": "a b#1.ogg",
            "duration": 8.97,
            "text": said,
            "pred_text": heard,
            "words": words,
        }
    )
    lines.append({"id": HOSTILE, "audio_filepath": HOSTILE, "text": HOSTILE, "pred_text": "", "speaker": HOSTILE})
    return write_report(folder, lines)


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report)
