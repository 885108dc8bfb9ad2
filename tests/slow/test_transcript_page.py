"""The page of a transcript as its reader uses it, in Debian's Chromium, at a desk and on a phone."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from scoring_page import SOUND, opened
from test_scoring_page_looks import CONTRASTS, LEAST_CONTRAST

from asr_s2s.cli import run
from asr_s2s.manifest import Word
from asr_s2s.transcripts import Segment, Transcript, html, in_channel

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that the command wrote, beside its recording."""
    folder = tmp_path_factory.mktemp("transcript")
    shutil.copy(SOUND, folder / "a talk#1.ogg")
    assert run(["transcribe", str(folder / "a talk#1.ogg"), "-f", "html,json", "-o", str(folder), "-q"]) == 0
    return folder / "a talk#1.html"


@pytest.fixture
def page(browser: Browser, written: Path) -> Iterator[Page]:
    yield from opened(browser, written)


def words_of(written: Path) -> list[dict[str, float]]:
    segments = json.loads(written.with_suffix(".json").read_text())["segments"]
    return [word for segment in segments for word in segment["words"]]


def test_the_words_show_their_doubt_and_the_most_doubtful_come_first(page: Page, written: Path) -> None:
    words = words_of(written)
    assert page.locator(".word.timed").all_inner_texts() == [word["word"] for word in words]
    doubtful = sorted(word["probability"] for word in words if word["probability"] < 0.85)
    shares = page.locator("#doubt-list button > span:first-child").all_inner_texts()
    assert shares == [f"{int(100 * share + 0.5)} %" for share in doubtful]
    for limit, low, level in ((0.85, 0.7, 1), (0.7, 0.5, 2), (0.5, 0.0, 3)):
        expected = [word["word"] for word in words if low <= word["probability"] < limit]
        assert page.locator(f".word.timed.doubt-{level}").all_inner_texts() == expected


def test_choosing_a_doubtful_word_plays_the_second_around_it_and_the_next_follows(page: Page, written: Path) -> None:
    worst, second = sorted(words_of(written), key=lambda word: word["probability"])[:2]
    page.keyboard.press("n")
    page.wait_for_function(f"() => audio.paused && audio.currentTime > {worst['end']}")
    assert page.evaluate("audio.currentTime") < worst["end"] + 0.7
    assert page.locator(".word.chosen").inner_text() == worst["word"]
    page.get_by_role("button", name="Next doubtful word").click()
    assert page.locator(".word.chosen").inner_text() == second["word"]
    assert page.locator("#doubt-list [aria-current=true]").count() == 1


def test_a_word_is_heard_from_there_on_and_followed(page: Page, written: Path) -> None:
    words = words_of(written)
    page.locator(".word.timed").nth(3).click()
    page.wait_for_function(f"() => audio.currentTime > {words[3]['start']}")
    expect(page.locator(".word.now")).to_have_count(1)
    page.wait_for_function(f"() => audio.currentTime > {words[5]['end']}")
    assert page.evaluate("!audio.paused"), "it goes on after the word"
    page.keyboard.press("Escape")
    assert page.evaluate("audio.paused")


def test_the_words_are_walked_through_by_the_keyboard(page: Page, written: Path) -> None:
    words = words_of(written)
    page.locator(".word.timed").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == words[1]["word"]
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => !audio.paused && audio.currentTime > {words[1]['start']}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_and_fits_a_phone(browser: Browser, written: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 390, "height": 844})
    page.goto(written.as_uri())
    page.keyboard.press("n")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 20
    assert [found for found in contrasts if found[0] < LEAST_CONTRAST] == []
    page.close()


def test_a_recording_that_is_not_there_is_named_and_texts_without_times_are_shown(
    browser: Browser, tmp_path: Path
) -> None:
    first, second = (Segment(at, at + 1, text) for at, text in ((0.0, "<b>One</b>"), (1.0, "two")))
    timed = Segment(2, 3, "three", (Word("three", 2, 3, 0.1),))
    whole = in_channel(Transcript((first, second, timed), duration=3, audio_path=str(tmp_path / "lost.wav")), 1)
    (tmp_path / "page.html").write_text(html.write(whole, folder=tmp_path))
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator(".words").all_inner_texts() == ["<b>One</b>", "two", "three"]
    expect(page.locator("#playing")).to_have_text("Audio not found at lost.wav; write the page with --embed-audio.")
    (tmp_path / "bare.html").write_text(html.write(Transcript((first,), duration=1)))
    page.goto((tmp_path / "bare.html").as_uri())
    assert page.locator("#player").is_hidden()
    assert page.inner_text("#doubts-note") == "The words have no probabilities."
    page.close()
