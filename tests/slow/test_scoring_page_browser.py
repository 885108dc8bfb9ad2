"""The report page as its reader uses it, in Debian's Chromium, without a screen."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from typer.testing import CliRunner

from asr_s2s.cli import app

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TEXTS = ROOT / "tests" / "data" / "scoring" / "commonvoice.jsonl"
SOUND = ROOT / "tests" / "data" / "LJ001-0076.ogg"
HOSTILE = '</script><img src=x onerror="document.title=1">'
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3: level AA for text of usual size
MANY = 50_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing = "chromium is missing. Install it with: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]  # CI runs as root
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real texts of two pages of utterances; one has its recording, with the times of its words, one is hostile."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(SOUND, folder / "a b#1.ogg")
    lines = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
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


def write_report(folder: Path, lines: list[dict[str, object]], *options: str, systems: Sequence[str] = ()) -> Path:
    (folder / "scored.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    files = [str(folder / name) for name in ("scored.jsonl", *systems)]
    views = ["--html", str(folder / "report.html"), "--json", str(folder / "report.json")]
    arguments = ["score", *files, *views, *options]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return folder / "report.html"


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report)


def opened(browser: Browser, report: Path) -> Iterator[Page]:
    """Open the page anew; whatever a test does, the page never complains, and asks for nothing but its recordings."""
    page = browser.new_page(color_scheme="light")
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri())
    yield page
    assert complaints == []
    assert [url for url in requests if not url.startswith(("data:", report.parent.as_uri() + "/"))] == []
    page.close()


def ids(page: Page) -> list[str]:
    return page.locator("#table tbody tr:first-child td:nth-child(2)").all_inner_texts()


def count(page: Page) -> str:
    return page.inner_text("#count").split(" utterances")[0]


def sort(page: Page, name: str) -> Locator:
    head = page.locator("#table").get_by_role("columnheader", name=name, exact=True)
    head.get_by_role("button").click()
    return head


def column(page: Page, number: int) -> list[float]:
    return [
        float(text) for text in page.locator(f"#table tbody tr:first-child td:nth-child({number})").all_inner_texts()
    ]


def test_a_column_sorts_down_up_and_not_at_all(page: Page) -> None:
    before = ids(page)
    place = 1 + page.locator("#table th").all_inner_texts().index("Errors ↕")
    assert sort(page, "Errors").get_attribute("aria-sort") == "descending"
    assert column(page, place) == sorted(column(page, place), reverse=True)
    assert sort(page, "Errors").get_attribute("aria-sort") == "ascending"
    assert column(page, place) == sorted(column(page, place))
    assert sort(page, "Errors").get_attribute("aria-sort") == "none"
    assert ids(page) == before


def test_the_search_finds_words_of_both_sides_and_ids(page: Page) -> None:
    for query, found in (("STAGECOACH", "1 of 15"), ("verse", "1 of 15"), ("37030569", "1 of 15"), ("qqq", "0 of 15")):
        page.fill("#query", query)
        expect(page.locator("#count")).to_contain_text(f"{found} utterances")
    page.fill("#query", "")
    expect(page.locator("#count")).to_contain_text("15 of 15")


def test_choosing_a_confusion_shows_the_utterances_that_have_it(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"Show \d+")).first.click()
    page.get_by_role("button", name="worse → verse").click()
    assert ids(page) == ["heard"]
    page.get_by_role("button", name="Remove filter worse → verse").click()
    assert count(page) == "15 of 15"


def test_choosing_a_group_shows_its_utterances_and_their_rate(page: Page) -> None:
    page.select_option("#field", "speaker")
    row = page.locator("#group-table tbody tr", has_text="c7a716d0842666580c80")
    rate = row.locator("td.figure").all_inner_texts()[2]  # after utterances and words
    row.get_by_role("button").click()
    assert count(page) == "4 of 15"
    assert f"WER {rate} %" in page.inner_text("#count")


def test_pages_are_turned_and_resized(page: Page) -> None:
    first = ids(page)
    assert len(first) == 10
    page.get_by_role("button", name="Next page").click()
    second = ids(page)
    assert len(second) == 5
    assert not set(first) & set(second)
    assert page.get_by_role("button", name="Next page").is_disabled()
    page.get_by_label("Utterances a page").select_option("25")
    assert ids(page) == first + second


def test_the_rates_are_those_of_the_report(page: Page, report: Path) -> None:
    expected = json.loads(report.with_name("report.json").read_text())
    rows = page.locator("#rates tbody tr")
    for row, side in ((rows.nth(0), "normalised"), (rows.nth(1), "raw")):
        words = expected[side]["words"]
        figures = [f"{words[name]:,}" for name in ("substitutions", "deletions", "insertions", "reference_length")]
        shown = row.locator("td.figure").all_inner_texts()  # WER, intervals, counts, CER, SER
        assert [f"{100 * words['rate']:.2f}", *figures] == [shown[0], *shown[-6:-2]]


def test_the_marks_of_the_words_say_what_happened_without_colour(page: Page) -> None:
    page.fill("#query", "heard")
    expect(page.locator("#table tbody")).to_have_count(1)
    wrong = page.locator(".column.wrong")
    assert wrong.evaluate_all("all => all.map((word) => word.getAttribute('aria-label'))") == [
        "worse, substituted by verse",
        "through, deleted",
        "nothing said, uh inserted",
    ]
    assert page.locator(".column.wrong sup").all_inner_texts() == ["S", "D", "I"]


def test_a_word_that_is_chosen_is_heard_and_no_more_than_its_second(page: Page) -> None:
    page.fill("#query", "heard")
    page.get_by_role("button", name="worse, substituted by verse").click()
    page.wait_for_function("() => audio.currentTime > 1.4")  # "verse": 1.5 to 1.9 seconds; a second around it
    assert "1.2 to 2.2 s" in page.inner_text("#playing")
    page.wait_for_function("() => audio.paused")
    assert 2.2 <= page.evaluate("audio.currentTime") < 2.6
    page.get_by_role("button", name="Play heard").click()
    page.wait_for_function("() => !audio.paused && audio.currentTime < 1.2")
    page.keyboard.press("Escape")
    assert page.evaluate("audio.paused")
    assert page.locator("#player").is_hidden()


def test_embedded_sound_is_heard_where_the_file_is_gone(browser: Browser, tmp_path: Path) -> None:
    shutil.copy(SOUND, tmp_path / "a.ogg")
    line = {"audio_filepath": "a.ogg", "text": "and things", "pred_text": "and thinks"}
    report = write_report(tmp_path, [line], "--embed-audio")
    (tmp_path / "a.ogg").unlink()
    for page in opened(browser, report):
        page.get_by_role("button", name="things, substituted by thinks").click()
        page.wait_for_function("() => audio.currentTime > 0.1")
        assert page.inner_text("#playing").startswith("a: all of it, because its words have no times")


def test_several_systems_stand_side_by_side(browser: Browser, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    (tmp_path / "first.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    other = [line | {"pred_text": line["text"], "flags": ["loop", "truncated"]} for line in lines[1:4]]
    (tmp_path / "second.jsonl").write_text("".join(json.dumps(line) + "\n" for line in other))
    report = write_report(tmp_path, lines, "--missing", "skip", systems=["first.jsonl", "second.jsonl"])
    for page in opened(browser, report):
        assert page.locator("#rates tbody th").all_inner_texts() == [" first", " second"]
        assert page.locator("#rates").get_by_role("cell", name="0.00").count() > 0
        page.select_option("#field", "flags of second")
        groups = page.locator("#group-table tbody tr")
        assert [row.split("\t")[0] for row in groups.all_inner_texts()] == ["loop", "truncated", "(none)"]
        groups.filter(has_text="loop").get_by_role("button").click()
        assert count(page) == "3 of 13"
        assert sort(page, "Errors, first minus second").get_attribute("aria-sort") == "descending"
        page.get_by_role("button", name="Remove filter flags of second: loop").click()
        assert page.locator(".labels", has_text="second (missing)").count() > 0
        page.select_option("#which", "where systems differ")
        assert count(page) == "2 of 13"  # the third that both have is right in both


def test_the_interval_and_the_tests_of_a_difference_are_shown(browser: Browser, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    (tmp_path / "ours.jsonl").write_text(
        "".join(json.dumps(line | {"pred_text": line["text"]}) + "\n" for line in lines)
    )
    report = write_report(tmp_path, lines, systems=["scored.jsonl", "ours.jsonl"])
    written = json.loads((tmp_path / "report.json").read_text())["differences"][0]
    for page in opened(browser, report):
        figures = page.locator("#differences td.figure").all_inner_texts()
        assert figures[0] == f"{100 * written['points']:.2f}".replace("-", "−")
        assert len(figures) == 7
        assert page.locator("#differences svg.strip line.thick").count() == 1


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


def test_fifty_thousand_utterances_open_and_filter_in_no_time(browser: Browser, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    many = [lines[at % len(lines)] | {"id": f"{at:05}", "duration": 1 + at % 17} for at in range(MANY)]
    report = write_report(tmp_path, many)
    for page in opened(browser, report):
        timing = page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
        assert timing < 5000  # 500 ms on the machine it was written on, when that had nothing else to do
        assert page.locator("#table tbody").count() == 10
        took = page.evaluate(
            "() => { const began = performance.now(); select({ query: 'council' }); return performance.now() - began; }"
        )
        assert took < 1000  # 100 ms there
        assert count(page) == "3,847 of 50,000"
        sort(page, "Seconds")
        assert set(column(page, 1 + page.locator("#table th").all_inner_texts().index("Seconds ▼"))) == {17.0}


def test_groups_are_those_of_the_report(browser: Browser, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    report = write_report(tmp_path, lines, "--group-by", "speaker,duration,speed")
    expected = json.loads((tmp_path / "report.json").read_text())
    for page in opened(browser, report):
        for field, groups in expected["groups"].items():
            page.select_option("#field", field)
            rows = [row.split("\t") for row in page.locator("#group-table tbody tr").all_inner_texts()]
            shown = {row[0]: (row[2], row[4]) for row in rows}  # words, WER; the plot between them has no text
            assert shown == {
                group["value"]: (
                    f"{group['normalised']['words']['reference_length']:,}",
                    f"{100 * group['normalised']['words']['rate']:.2f}",
                )
                for group in groups
            }
