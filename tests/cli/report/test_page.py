"""The page: all of it, in words, on its own, in a real browser."""

from __future__ import annotations

import re
from datetime import UTC, date
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Literal

import pytest

from safelight.cli.report import Month, Trust, count, page
from tests.audit.events import EVENTS
from tests.support import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GOOD = Trust(good=True, verdict="Yes.", details=("All of it.",))
NAMES = {"chatgpt_web": "ChatGPT <web> & app"}
_LONELY = {"meta"}


class Balance(HTMLParser):
    """Notes the tags that are open, the words, and everything that points elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {"src", "href", "srcset", "action", "data"} & {name for name, _ in attrs}
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in _LONELY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def of(*names: str) -> Month:
    return count(date(2026, 11, 1), [EVENTS[name] for name in names], UTC)


def read(month: Month, trust: Trust = GOOD) -> Balance:
    parser = Balance()
    parser.feed(page(month, trust, NAMES, "24 November 2026"))
    assert parser.open == []
    return parser


def test_it_stands_on_its_own() -> None:
    written = page(of(*EVENTS), GOOD, NAMES, "today")
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img", written)
    assert "default-src 'none'" in written
    assert {"script", "link", "img", "iframe", "form"}.isdisjoint(read(of(*EVENTS)).tags)


def test_it_says_what_happened() -> None:
    text = " ".join(read(of(*EVENTS)).text.split())
    for said in (
        "Your pictures and AI services in November 2026",
        "ChatGPT <web> & app",
        "Where it was taken",
        "Your policy does not allow it",
        "It was too large to be looked at",
        "Once let through without a look, as your policy says",
        "did not accept Safelight's certificate",
        "sent though it was unsure",
        "Waited for a yes that did not come: 3 files",
        "Yes.",
    ):
        assert said in text, said


def test_an_empty_month() -> None:
    text = read(of(), Trust(good=False, verdict="No.")).text
    assert "Nothing went to an AI service" in text
    assert "✗ No." in text


@pytest.mark.parametrize(
    ("names", "lead"),
    [
        (["flowed"], "1 file went to one AI service, cleaned. Nothing was stopped."),
        (["flowed", "a host for itself"], "2 files went to 2 AI services, all cleaned."),
        (["cleaned"], "2 files went to one AI service, 1 cleaned."),
        (["sent", "stopped"], "1 file went to one AI service, as they were. 1 file stayed here."),
        (["stopped"], "No file left. 1 file stayed here."),
    ],
)
def test_its_first_sentence(names: list[str], lead: str) -> None:
    assert lead in read(of(*names)).text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


def shown(browser: Browser, file: Path, scheme: Literal["light", "dark"]) -> Page:
    """The page on a phone; it asked for nothing else, and nothing was complained of."""
    asked: list[str] = []
    said: list[str] = []
    file.write_text(page(of(*EVENTS), GOOD, NAMES, "today"), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 800})
    opened = context.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: said.append(message.text))
    opened.goto(file.as_uri())
    assert (asked, said) == ([file.as_uri()], [])
    return opened


def test_it_fits_a_phone(browser: Browser, tmp_path: Path) -> None:
    phone = shown(browser, tmp_path / "month.html", "light")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert phone.locator("svg.days rect.cleaned").first.bounding_box() is not None


def test_it_is_dark_at_night_and_light_on_paper(browser: Browser, tmp_path: Path) -> None:
    grounds = {
        scheme: ground(shown(browser, tmp_path / "month.html", scheme)) for scheme in SCHEMES
    }
    light, dark = (sum(grounds[scheme]) for scheme in SCHEMES)
    assert dark < 150 < 600 < light
    printed = shown(browser, tmp_path / "month.html", "dark")
    printed.emulate_media(media="print")
    assert ground(printed) == [255, 255, 255]
    assert sum(numbers(printed, "h1", "color")) < 300


def ground(opened: Page) -> list[int]:
    return numbers(opened, "body", "backgroundColor")


def numbers(opened: Page, element: str, name: str) -> list[int]:
    """A colour's red, green and blue."""
    colour = opened.evaluate(f"getComputedStyle(document.querySelector('{element}')).{name}")
    return [int(number) for number in re.findall(r"\d+", colour)]
