from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from safelight.audit import AuditLog
from safelight.audit.events import Event, Fate, Span, events
from tests.audit.events import EVENTS, decided, ended, unseen

if TYPE_CHECKING:
    from pathlib import Path

FATES = {
    "cleaned": Fate.CLEANED,
    "sent": Fate.SENT,
    "stopped": Fate.STOPPED,
    "stopped unread": Fate.STOPPED,
    "held": Fate.HELD,
    "approved": Fate.CLEANED,
    "denied": Fate.HELD,
    "left while it waited": Fate.HELD,
    "flowed": Fate.CLEANED,
    "flowed, nothing found": Fate.SENT,
    "stopped on its way": Fate.STOPPED,
    "broken off": Fate.BROKEN_OFF,
    "without an end": Fate.UNENDED,
    "announced": Fate.CLEANED,
    "announced, in doubt": Fate.SENT,
    "a type nobody knows": Fate.SENT,
    "a host for itself": Fate.CLEANED,
    "uninspected": Fate.UNINSPECTED,
    "certificate rejected": Fate.CERTIFICATE_REJECTED,
}


@pytest.mark.parametrize("name", EVENTS)
def test_what_became_of_it(name: str) -> None:
    assert EVENTS[name].fate is FATES[name]


def test_what_it_carried_and_what_was_taken_out() -> None:
    stopped, flowed = EVENTS["stopped"], EVENTS["flowed"]
    assert (stopped.found, stopped.removed) == (("device", "location"), ())
    assert (flowed.found, flowed.removed) == (("location",), ("location",))
    assert EVENTS["uninspected"].found == ()


def test_a_sentence_says_it() -> None:
    said = "Upload to chatgpt_web stopped because of policy, 1 picture, carrying device, location"
    assert str(EVENTS["stopped"]) == said
    assert str(EVENTS["uninspected"]) == "Connection to grok_app let through without a look"


@pytest.mark.parametrize(
    ("host", "hostname", "domain"),
    [
        ("claude.ai", "claude.ai", "claude.ai"),
        ("*.oaiusercontent.com", None, "oaiusercontent.com"),
        ("b.s3.*.amazonaws.com", None, "amazonaws.com"),
        ("*", None, "chatgpt_web"),
    ],
)
def test_a_pattern_is_no_host(host: str, hostname: str | None, domain: str) -> None:
    event = Event(decided(host=host))
    assert (event.hostname, event.domain) == (hostname, domain)


def test_an_end_finds_its_decision(tmp_path: Path) -> None:
    day = datetime(2026, 11, 23, tzinfo=UTC)
    now = [day]
    log = AuditLog(tmp_path / "audit", tmp_path / "keys", lambda: now[0])
    flowing = decided(flowing=True)
    log.append(flowing)
    log.append(unseen("uninspected"))
    now[0] = day.replace(day=24)
    log.append(ended("whole", "location"))
    log.append(decided(id="d_000000000002"))
    log.close()
    first, second, third = events(tmp_path / "audit")
    assert isinstance(first, Event)
    assert first.end is not None
    assert (first.uid, first.end.of) == (flowing.id, flowing.id)
    assert isinstance(second, Event)
    assert second.decision is None
    span = Span(until=day.replace(day=24))
    assert list(events(tmp_path / "audit", span)) == [first, second]
    assert list(events(tmp_path / "audit", Span(since=span.until))) == [third]


def test_what_is_no_record_comes_back(tmp_path: Path) -> None:
    (tmp_path / "audit-000001.jsonl").write_text("nonsense\n")
    assert list(events(tmp_path)) == ["nonsense"]


def test_a_yes_leaves_no_cause_why_it_was_stopped() -> None:
    approved, denied = EVENTS["approved"], EVENTS["denied"]
    assert (approved.refusal, denied.refusal) == (None, "held")
    assert str(approved).startswith("Upload to chatgpt_web sent after cleaning, 1 picture")
    assert str(denied).startswith("Upload to chatgpt_web held back, 1 picture")
