"""The report page for every reader: by keyboard, in the dark, by contrast and by name, and with hostile texts."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from scoring_page import HOSTILE, SOUND, ids

from asr_s2s.cli import run
from asr_s2s.manifest import Utterance, write_manifest
from asr_s2s.training.page import write_page

pytestmark = pytest.mark.slow

LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3: level AA for text of usual size


def test_everything_can_be_done_from_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the utterances"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.type("heard")
    expect(page.locator("#table tbody")).to_have_count(1)
    words = page.locator("#table").get_by_role("columnheader", name="Words")
    words.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert words.get_attribute("aria-sort") == "descending"
    assert "Words" in page.evaluate("document.activeElement.textContent"), "the focus stays where it was"
    page.get_by_role("button", name="worse, substituted by verse").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "and, right"
    page.keyboard.press("Enter")
    page.wait_for_function("() => audio.currentTime > 1.5")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid", "the focus is seen"


def test_dark_follows_the_system_and_the_button(browser: Browser, report: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(report.as_uri())
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light colours").click()
    assert page.evaluate(ground) != dark
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(ground) == dark
    page.close()


CONTRASTS = """() => {
  const luminance = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
    const linear = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const clear = "rgba(0, 0, 0, 0)";
  const groundOf = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (colour !== clear) return colour;
    }
  };
  const texts = [...document.querySelectorAll("body *")].filter(
    (node) => node.checkVisibility() && !node.disabled && node.tagName !== "OPTION" &&
      [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()),
  );
  return texts.map((node) => {
    const drawn = node instanceof SVGElement ? getComputedStyle(node).fill : getComputedStyle(node).color;
    const [low, high] = [luminance(drawn), luminance(groundOf(node))].sort((a, b) => a - b);
    return [(high + 0.05) / (low + 0.05), `${node.tagName}.${node.className}`];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(browser: Browser, report: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(report.as_uri())
    page.get_by_label("Utterances a page").select_option("25")
    page.get_by_role("button", name="Play heard").click()
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert [found for found in contrasts if found[0] < LEAST_CONTRAST] == []
    page.close()


def test_a_hostile_text_is_shown_as_text(page: Page) -> None:
    page.select_option("#field", "speaker")
    page.get_by_role("button", name=HOSTILE, exact=True).click()
    page.check("#spelled")
    assert ids(page) == [HOSTILE]
    assert page.locator(".written dd").first.inner_text() == HOSTILE
    assert page.locator("#chips").inner_text() == f"speaker: {HOSTILE} ✕"
    assert page.locator("img").count() == 0
    assert page.title().startswith("Word errors")


def test_all_controls_have_names_and_all_ids_are_unique(page: Page) -> None:
    nameless = "all => all.filter((node) => !node.textContent.trim() && !node.ariaLabel && !node.labels?.length).length"
    assert page.locator("button, select, input, th").evaluate_all(nameless) == 0
    names = re.findall(r'<[^>]* id="([^"]+)"', page.content())
    assert len(names) == len(set(names))


BEYOND = """() => [...document.querySelectorAll("body *")].filter(
  (node) => node.checkVisibility() && !node.closest(".scroll") && node.getBoundingClientRect().right > innerWidth + 1,
).map((node) => `${node.tagName}#${node.id}`)"""


@contextmanager
def on_a_phone(browser: Browser, path: Path) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.goto(path.as_uri())
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate(BEYOND) == []
    page.close()


def test_on_a_phone_the_words_of_an_utterance_lie_within_the_screen(browser: Browser, report: Path) -> None:
    with on_a_phone(browser, report) as page:
        words = page.locator("#table .column").all()
        assert len(words) > 50
        boxes = [box for word in words if (box := word.bounding_box())]
        assert max(box["x"] + box["width"] for box in boxes) <= 390
        page.fill("#query", "heard")
        page.get_by_role("button", name="Play heard").tap()
        expect(page.locator("#player")).to_be_visible()


def test_a_check_and_a_training_fit_a_phone_too(browser: Browser, tmp_path: Path) -> None:
    text = "a long text of many words that nobody reads aloud in a second " * 5
    write_manifest(tmp_path / "train.jsonl", [Utterance("one", SOUND, text=f"<b>{text}</b>"), Utterance("two", SOUND)])
    assert run(["check", str(tmp_path / "train.jsonl"), "--html", str(tmp_path / "check.html")]) == 4
    with on_a_phone(browser, tmp_path / "check.html") as page:
        assert page.locator("audio").count() == 2
    record = {"event": "evaluation", "step": 1, "epoch": 1, "wer": 0.5, "cer": 0.25, "accuracy": 0.5, "idle": 0.1}
    record["samples"] = [{"id": "one", "reference": text, "hypothesis": "word" * 40}]
    (tmp_path / "history.jsonl").write_text(json.dumps(record) + "\n")
    write_page(tmp_path, summary=["WER 50.00%"])
    with on_a_phone(browser, tmp_path / "report.html") as page:
        assert "asr-s2s transcribe --model" in page.inner_text("pre")
