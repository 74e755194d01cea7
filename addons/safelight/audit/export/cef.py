"""ArcSight's Common Event Format, version 0: a header of seven fields, then keys and values.

Escaping is that of "Implementing ArcSight Common Event Format", section "Character Encoding":
backslash and pipe in the header; backslash, equal sign and line ends in the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight import __version__
from safelight.audit.events import Fate
from safelight.audit.export.plain import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.audit.events import Event

_SEVERITY = {  # 0 to 10
    Fate.STOPPED: 6,
    Fate.HELD: 6,
    Fate.BROKEN_OFF: 4,
    Fate.UNENDED: 4,
    Fate.UNINSPECTED: 5,
    Fate.CERTIFICATE_REJECTED: 4,
}
_USUAL = 2


def line(event: Event) -> str:
    """One event as one line, without its end."""
    head = (
        "CEF:0",
        "Safelight",
        "safelight",
        __version__,
        f"{event.record.kind}.{event.fate}",
        _name(event),
        str(_SEVERITY.get(event.fate, _USUAL)),
    )
    return "|".join([*map(in_header, head), extension(_fields(event))])


def _name(event: Event) -> str:
    what = "Upload" if event.decision else "Connection"
    return f"{what} {str(event.fate).replace('-', ' ')}"


def _fields(event: Event) -> dict[str, str]:
    record, decision = event.record, event.decision
    pictures = decision.pictures if decision else ()
    fields: dict[str, object] = {
        "rt": int(event.moment.timestamp() * 1000),
        "externalId": event.uid,
        "act": decision.verdict if decision else event.fate,
        "outcome": "success" if event.fate.left else "failure",
        "app": "https",
        "dhost": event.hostname,
        "destinationServiceName": record.service,
        "in": event.received,
        "fileType": " ".join(sorted({picture.type for picture in pictures})),
        "reason": event.refusal,
        "msg": event,
    }
    named = {
        "rule": " ".join(event.rules),
        "policy": record.policy,
        "policyRevision": record.revision,
        "found": " ".join(event.found),
        "removed": " ".join(event.removed),
        "hostPattern": "" if event.hostname else record.host,
    }
    for number, (label, value) in enumerate(named.items(), 1):
        if value:
            fields |= {f"cs{number}Label": label, f"cs{number}": value}
    if pictures:
        fields |= {"cn1Label": "pictures", "cn1": len(pictures)}
    return {name: str(value) for name, value in fields.items() if value not in {None, ""}}


def in_header(text: str) -> str:
    """A field of the header. Line ends cannot stand there, and become blanks."""
    return printable(text.replace("\\", "\\\\").replace("|", "\\|"))


def extension(fields: Mapping[str, str]) -> str:
    """Keys and values with blanks between them."""
    return " ".join(f"{key}={in_value(value)}" for key, value in fields.items())


def in_value(text: str) -> str:
    """A value. Line ends that CEF has no escape for become blanks."""
    escaped = text.replace("\\", "\\\\").replace("=", "\\=")
    escaped = escaped.replace("\r", "\\r").replace("\n", "\\n")
    return printable(escaped)
