from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from safelight.audit import Decision
from safelight.audit.events import Event
from safelight.cli.report import Month, count, span_of
from safelight.cli.report.month import Tally
from tests.audit.events import EVENTS, decided

NOVEMBER = date(2026, 11, 1)


def counted(*names: str) -> Month:
    return count(NOVEMBER, [EVENTS[name] for name in names], UTC)


@pytest.mark.parametrize(
    ("name", "tally"),
    [
        ("cleaned", Tally(cleaned=1, untouched=1)),
        ("sent", Tally(untouched=1)),
        ("stopped", Tally(stopped=1)),
        ("stopped unread", Tally(stopped=1)),
        ("held", Tally(held=1)),
        ("flowed", Tally(cleaned=1)),
        ("flowed, nothing found", Tally(untouched=1)),
        ("stopped on its way", Tally(stopped=1)),
        ("broken off", Tally(unfinished=1)),
        ("without an end", Tally(unfinished=1)),
        ("uninspected", Tally()),
    ],
)
def test_what_is_counted(name: str, tally: Tally) -> None:
    month = counted(name)
    assert month.total == tally
    assert month.days[23] == tally
    assert sum(day.all for day in month.days.values()) == tally.all


def test_what_was_taken_out() -> None:
    month = counted("cleaned", "flowed", "stopped", "broken off")
    assert month.removed == {"device": 1, "location": 2}
    assert (month.renamed, month.kept) == (1, {})


def test_what_stayed_in_what_left() -> None:
    kept = EVENTS["cleaned"].decision
    assert isinstance(kept, Decision)
    [photo, *_] = kept.pictures
    left = decided(pictures=(photo.model_copy(update={"removed": False}),))
    assert count(NOVEMBER, [Event(left)], UTC).kept == {"device": 1, "location": 1}


def test_what_was_stopped_and_what_went_past() -> None:
    month = counted("stopped", "stopped unread", "uninspected", "certificate rejected", "sent")
    assert month.stopped == {("chatgpt_web", "policy"): 1, ("chatgpt_web", "too-large"): 1}
    assert month.unseen == {
        ("grok_app", "uninspected"): 1,
        ("grok_app", "certificate-rejected"): 1,
    }
    assert month.doubted == {"chatgpt_web": 1}


def test_days_are_those_of_the_place() -> None:
    late = Event(decided(at="2026-11-23T23:30:00.000Z"))
    month = count(NOVEMBER, [late], ZoneInfo("Europe/Vienna"))
    assert (month.days[23].all, month.days[24].all) == (0, 1)


@pytest.mark.parametrize(
    ("first", "end"),
    [(date(2026, 12, 1), (2027, 1)), (date(2027, 2, 1), (2027, 3)), (NOVEMBER, (2026, 12))],
)
def test_a_month_ends_where_the_next_begins(first: date, end: tuple[int, int]) -> None:
    span = span_of(first, UTC)
    assert span.since == datetime(first.year, first.month, 1, tzinfo=UTC)
    assert span.until == datetime(*end, 1, tzinfo=UTC)
