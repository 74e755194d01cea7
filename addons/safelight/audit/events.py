"""What happened, one event each: an upload with its decision and its end, or a connection that
nobody looked into. For everything that reads the log for people or for other programs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from safelight.audit.read import later, told
from safelight.audit.record import Decision, End, Ending, Release, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Fate(StrEnum):
    """What became of an upload, or of a connection."""

    SENT = "sent"
    CLEANED = "cleaned"
    STOPPED = "stopped"
    HELD = "held"
    BROKEN_OFF = "broken-off"
    UNENDED = "unended"
    UNINSPECTED = "uninspected"
    CERTIFICATE_REJECTED = "certificate-rejected"

    @property
    def left(self) -> bool:
        """Did all of it go to the service?"""
        return self in {Fate.SENT, Fate.CLEANED, Fate.UNINSPECTED}


@dataclass(frozen=True, slots=True)
class Event:
    """A record that tells of an upload or a connection, with its end if one follows, and with how
    its wait ended if it was held."""

    record: Decision | Unseen
    end: End | None = None
    release: Release | None = None

    @property
    def decision(self) -> Decision | None:
        """The record, if it is one of a decision."""
        return self.record if isinstance(self.record, Decision) else None

    @property
    def moment(self) -> datetime:
        """When it was recorded; the log's own beginning of time if nobody wrote it down."""
        return datetime.fromisoformat(self.record.at or "1970-01-01T00:00:00.000Z")

    @property
    def fate(self) -> Fate:
        """What became of it. A verdict of a later version that nobody knows here stops nothing
        and sends nothing: only what is known to leave is said to have left."""
        if isinstance(self.record, Unseen):
            return Fate(self.record.how)
        decision, verdict = self.record, str(self.record.verdict)
        if verdict not in {"allow", "warn", "block"} and not self.approved:
            return Fate.HELD
        if verdict == "block" or (decision.refusal and not self.approved):
            return Fate.STOPPED
        if decision.flowing:
            return self._fate_of_flow()
        return Fate.CLEANED if _changed(decision) else Fate.SENT

    @property
    def approved(self) -> bool:
        """Did it wait for a yes, and get it?"""
        return self.release is not None and self.release.how == "approved"

    def _fate_of_flow(self) -> Fate:
        if self.end is None:
            return Fate.UNENDED
        if self.end.how is not Ending.WHOLE:
            return Fate.STOPPED if self.end.how is Ending.STOPPED else Fate.BROKEN_OFF
        return Fate.CLEANED if self.end.found else Fate.SENT

    @property
    def found(self) -> tuple[str, ...]:
        """The kinds of things it carried besides pictures."""
        kinds = set(self.end.found) if self.end else set()
        if self.decision:
            kinds.update(kind for picture in self.decision.pictures for kind in picture.found)
        return tuple(sorted(kinds))

    @property
    def removed(self) -> tuple[str, ...]:
        """Those of them that were taken out of what left."""
        if self.decision is None:
            return ()
        kinds = {
            kind for picture in self.decision.pictures if picture.removed for kind in picture.found
        }
        if self.end is not None:
            kinds.update(self.end.found)
        return tuple(sorted(kinds))

    @property
    def refusal(self) -> str | None:
        """The cause why it was stopped; a wait that ended with a yes is none."""
        if self.end is not None and self.end.refusal:
            return self.end.refusal
        return self.decision.refusal if self.decision and not self.approved else None

    @property
    def received(self) -> int | None:
        """The size of the request's body in bytes, if it was known."""
        return self.decision.received if self.decision else None

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that decided, or else those that matched."""
        if self.decision is None:
            return ()
        late = self.end.matched if self.end else ()
        return self.decision.by or tuple(sorted({*self.decision.matched, *late}))

    @property
    def uid(self) -> str:
        """A name for it: the decision's id, or its number in the log."""
        return self.decision.id if self.decision else f"r_{self.record.seq or 0}"

    @property
    def hostname(self) -> str | None:
        """The host it went to; None where the record has a pattern for many."""
        return None if "*" in self.record.host else self.record.host

    @property
    def domain(self) -> str:
        """The part of the host's name that is known: what stands behind the last wildcard."""
        if self.hostname:
            return self.hostname
        return self.record.host.rpartition("*")[2].partition(".")[2] or self.record.service

    def __str__(self) -> str:
        """It in one sentence of plain words."""
        files = len(self.decision.pictures) if self.decision else 0
        held = f", {files} picture{'s' * (files != 1)}" if files else ""
        found = f", carrying {', '.join(self.found)}" if self.found else ""
        why = f" because of {self.refusal}" if self.refusal not in {None, "held"} else ""
        what = "Upload" if self.decision else "Connection"
        return f"{what} to {self.record.service} {_SAID[self.fate]}{why}{held}{found}"


def _changed(decision: Decision) -> bool:
    if not decision.pictures:
        # It only announced a picture. Without a doubt, that was recorded since its name went.
        return "rename" in decision.transforms and not decision.doubts
    return any(picture.removed or picture.renamed for picture in decision.pictures)


_SAID = {
    Fate.SENT: "sent as it was",
    Fate.CLEANED: "sent after cleaning",
    Fate.STOPPED: "stopped",
    Fate.HELD: "held back",
    Fate.BROKEN_OFF: "broken off while it was sent",
    Fate.UNENDED: "begun, its end is not recorded",
    Fate.UNINSPECTED: "let through without a look",
    Fate.CERTIFICATE_REJECTED: "not made, the program rejected the certificate",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: from its first moment to just before its last; open where None."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, moment: datetime) -> bool:
        after = self.since is None or self.since <= moment
        return after and (self.until is None or moment < self.until)


ALWAYS = Span()


def events(folder: Path, span: Span = ALWAYS) -> Iterator[Event | str]:
    """What happened in `span`, oldest first; a line that is no record comes back as text.

    The log is read twice, since an end stands behind its decision. Raises OSError.
    """
    ended, released = later(folder)
    for record in told(folder):
        if isinstance(record, str):
            yield record
        elif isinstance(record, Decision | Unseen):
            id_ = record.id if isinstance(record, Decision) else ""
            event = Event(record, ended.get(id_), released.get(id_))
            if event.moment in span:
                yield event
