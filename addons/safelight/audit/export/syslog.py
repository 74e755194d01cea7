"""Syslog messages as RFC 5424 writes them: facility 13 (log audit), one SD-ELEMENT, plain words.

The name of this machine is nowhere in the log, so HOSTNAME is the NILVALUE; who sends the lines on
knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.audit.events import Fate
from safelight.audit.export.plain import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.audit.events import Event

_FACILITY = 13  # log audit, RFC 5424 6.2.1
_WARNING, _NOTICE, _INFORMATIONAL = 4, 5, 6
_SEVERITY = {Fate.SENT: _INFORMATIONAL, Fate.CLEANED: _INFORMATIONAL, Fate.STOPPED: _WARNING}
_NIL = "-"
# RFC 5424 6.3.2 wants an enterprise number behind a name of one's own; Safelight has none, and
# this one is kept for examples (RFC 5612).
_ID = "safelight@32473"


def line(event: Event) -> str:
    """One event as one message, without a line end. All of it is printable ASCII, if the log is."""
    record = event.record
    priority = 8 * _FACILITY + _SEVERITY.get(event.fate, _NOTICE)
    header = f"<{priority}>1 {record.at or _NIL} {_NIL} safelight {_NIL} {record.kind}"
    return f"{header} {element(_fields(event))} {printable(str(event))}"


def _fields(event: Event) -> dict[str, str]:
    record, decision = event.record, event.decision
    fields = {
        "id": event.uid,
        "seq": record.seq,
        "hash": record.hash,
        "service": record.service,
        "host": record.host,
        "verdict": decision and decision.verdict,
        "fate": event.fate,
        "refusal": event.refusal,
        "pictures": len(decision.pictures) if decision else None,
        "received": event.received,
        "found": ",".join(event.found),
        "removed": ",".join(event.removed),
        "rules": ",".join(event.rules),
        "policy": record.policy,
        "revision": record.revision,
    }
    return {name: str(value) for name, value in fields.items() if value not in {None, ""}}


def element(fields: Mapping[str, str]) -> str:
    """An SD-ELEMENT (RFC 5424 6.3.1). The names are ours, and are SD-NAMEs."""
    params = (f'{name}="{in_param(value)}"' for name, value in fields.items())
    return f"[{' '.join([_ID, *params])}]"


def in_param(text: str) -> str:
    """A PARAM-VALUE: quote, backslash and closing bracket are escaped (RFC 5424 6.3.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
    return printable(escaped)
