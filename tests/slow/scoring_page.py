"""A report page of real texts, and what its tests do with it in a browser."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page
from typer.testing import CliRunner

from asr_s2s.cli import app

ROOT = Path(__file__).parents[2]
SOUND = ROOT / "tests" / "data" / "LJ001-0076.ogg"
HOSTILE = '</script><img src=x onerror="document.title=1">'


def real_lines() -> list[dict[str, object]]:
    texts = (ROOT / "tests" / "data" / "scoring" / "commonvoice.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in texts.splitlines()]


def write_report(folder: Path, lines: list[dict[str, object]], *options: str, systems: Sequence[str] = ()) -> Path:
    (folder / "scored.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    files = [str(folder / name) for name in ("scored.jsonl", *systems)]
    views = ["--html", str(folder / "report.html"), "--json", str(folder / "report.json")]
    arguments = ["score", *files, *views, *options]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return folder / "report.html"


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
