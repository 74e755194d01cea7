"""Counts what happened in a month. Pure: events in, numbers out.

What is counted are files, that is pictures and documents. An upload that was stopped before anybody
could look how many there were counts as one.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from safelight.audit.events import Event, Fate, Span

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

_ON_ITS_WAY = {Fate.BROKEN_OFF, Fate.UNENDED}


@dataclass(slots=True)
class Tally:
    """How many files were sent clean, sent as they were, and stopped. `unfinished` left in part,
    or nobody recorded their end; `held` wait, or waited, for a yes."""

    cleaned: int = 0
    untouched: int = 0
    stopped: int = 0
    held: int = 0
    unfinished: int = 0

    @property
    def sent(self) -> int:
        """Those that left."""
        return self.cleaned + self.untouched

    @property
    def all(self) -> int:
        """All of them."""
        return self.sent + self.stopped + self.held + self.unfinished

    def add(self, event: Event) -> None:
        """Count the files of one upload."""
        decision, fate = event.decision, event.fate
        files = len(decision.pictures) if decision else 0
        if fate is Fate.STOPPED:
            self.stopped += max(files, 1)
        elif fate is Fate.HELD:
            self.held += max(files, 1)
        elif fate in _ON_ITS_WAY:
            self.unfinished += files
        elif decision is not None and event.end is not None:
            # It flowed, and there was one.
            self.cleaned += fate is Fate.CLEANED
            self.untouched += fate is Fate.SENT
        elif decision is not None:
            cleaned = sum(picture.removed or picture.renamed for picture in decision.pictures)
            self.cleaned += cleaned
            self.untouched += files - cleaned


@dataclass(slots=True)
class Month:
    """A month's numbers. `removed` counts files for each kind of thing that was taken out of them,
    `kept` those that left with it in; `stopped` has a pair of service and cause, `unseen` one of
    service and how."""

    year: int
    month: int
    total: Tally = field(default_factory=Tally)
    days: dict[int, Tally] = field(default_factory=dict)
    services: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    removed: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    renamed: int = 0
    stopped: Counter[tuple[str, str]] = field(default_factory=Counter)
    doubted: Counter[str] = field(default_factory=Counter)
    unseen: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)


def count(first: date, events: Iterable[Event], zone: tzinfo | None = None) -> Month:
    """The numbers of the month that begins on `first`; days are those of `zone`, or of this
    machine without one. `events` are of that month."""
    days = {day: Tally() for day in range(1, monthrange(first.year, first.month)[1] + 1)}
    month = Month(first.year, first.month, days=days)
    for event in events:
        if event.decision is None:
            month.unseen[event.record.service, str(event.fate)] += 1
            continue
        for tally in (
            month.total,
            month.services[event.record.service],
            month.days[event.moment.astimezone(zone).day],
        ):
            tally.add(event)
        _look_closer(month, event)
    return month


def _look_closer(month: Month, event: Event) -> None:
    decision, service = event.decision, event.record.service
    if decision is None:
        return
    if event.fate is Fate.STOPPED:
        month.stopped[service, event.refusal or "policy"] += 1
    if not event.fate.left:
        return
    month.removed.update(event.end.found if event.end else ())
    month.renamed += sum(picture.renamed for picture in decision.pictures)
    for picture in decision.pictures:
        (month.removed if picture.removed else month.kept).update(picture.found)
    if decision.doubts:
        month.doubted[service] += max(len(decision.pictures), 1)


def span_of(first: date, zone: tzinfo | None = None) -> Span:
    """All of the month that begins on `first`."""
    following = (first + timedelta(days=31)).replace(day=1)
    return Span(_midnight(first, zone), _midnight(following, zone))


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    at = datetime.combine(day, time.min, zone)
    return at if zone else at.astimezone()
