"""The log in the words of other programs. Each format is a pure function of one event."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from safelight.audit.export import cef, csv, ecs, ocsf, syslog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.audit.events import Event


class Format(StrEnum):
    """What a log can be exported as."""

    OCSF = "ocsf"
    ECS = "ecs"
    CEF = "cef"
    SYSLOG = "syslog"
    CSV = "csv"


def exported(events: Iterable[Event], form: Format) -> Iterator[str]:
    """Whole lines, each with its end: JSON lines for the formats that are JSON."""
    if form is Format.CSV:
        yield csv.header()
    for event in events:
        yield from _lines(event, form)


def _lines(event: Event, form: Format) -> Iterator[str]:
    match form:
        case Format.OCSF:
            yield from map(_json, ocsf.events(event))
        case Format.ECS:
            yield _json(ecs.document(event))
        case Format.CEF:
            yield f"{cef.line(event)}\n"
        case Format.SYSLOG:
            yield f"{syslog.line(event)}\n"
        case Format.CSV:
            yield csv.line(event)


def _json(fields: object) -> str:
    return json.dumps(fields, separators=(",", ":")) + "\n"
