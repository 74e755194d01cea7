"""Records of uploads in words, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight import audit as audit_log
from safelight.cli import words

if TYPE_CHECKING:
    from safelight.audit.events import Event

HOW = {
    "sent": "sent",
    "stopped": "stopped",
    "held": "held and not let go",
    "uninspected": "let through without a look, as your policy says",
    "certificate-rejected": "not sent, since the program would not accept the certificate",
}
RELEASED = {
    "approved": "approved, so it was sent",
    "denied": "denied, so it stayed here",
    "timed-out": "not answered in time, so it stayed here",
    "full": "one too many that wait, so it stayed here",
    "left": "its page was left, so nothing was sent",
    "nobody-to-ask": "nobody to ask, so it stayed here",
}
_VERDICTS = {"allow": "sent", "warn": "sent", "hold": "held", "block": "stopped"}


def verdict(word: str) -> str:
    """What a verdict means for the upload; the word itself if it is of a later version."""
    return _VERDICTS.get(word, word)


def line(record: audit_log.Told) -> str:
    """One record."""
    if isinstance(record, audit_log.Release):
        return f"{record.at}  {record.of}  {RELEASED[record.how]}"
    if isinstance(record, audit_log.Unseen):
        return f"{record.at}  {HOW[record.how]}  {record.service}"
    if isinstance(record, audit_log.End):
        told = words.listed([words.kind(kind) for kind in record.found]) or "nothing private"
        why = f" because of {record.refusal}" if record.refusal else ""
        return f"{record.at}  {record.of}  ended {record.how}{why}: {told} taken out"
    found = sorted({kind for picture in record.pictures for kind in picture.found})
    told = words.listed([words.kind(kind) for kind in found]) or "nothing private"
    what = verdict(record.verdict)
    why = f" because of {record.refusal}" if record.refusal and record.refusal != what else ""
    held = f": {words.files(len(record.pictures))}, saying {told}" if record.pictures else ""
    return f"{record.at}  {record.id}  {what}{why}  {record.service}{held}"


def lines(event: Event) -> list[str]:
    """An event: its record, and how it was released and ended, if that is recorded."""
    return [
        line(record) for record in (event.record, event.release, event.end) if record is not None
    ]
