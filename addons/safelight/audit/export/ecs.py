"""The Elastic Common Schema: one document an event.

Of the record, what ECS has no field for stands under `safelight`, a name that ECS leaves to others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safelight import __version__
from safelight.audit.events import Fate
from safelight.audit.export import media

if TYPE_CHECKING:
    from safelight.audit.events import Event

VERSION = "9.4.0"
_TYPES = {
    Fate.SENT: ["allowed", "access"],
    Fate.CLEANED: ["allowed", "change"],
    Fate.STOPPED: ["denied"],
    Fate.HELD: ["denied"],
    Fate.UNINSPECTED: ["allowed", "connection"],
    Fate.CERTIFICATE_REJECTED: ["connection", "end"],
}
_OUTCOMES = {Fate.UNENDED: "unknown", Fate.HELD: "unknown"}
_QUIET = {Fate.SENT, Fate.CLEANED}


def document(event: Event) -> dict[str, Any]:
    """The document of one event."""
    record, decision = event.record, event.decision
    outcome = "success" if event.fate.left else "failure"
    found: dict[str, Any] = {
        "@timestamp": record.at,
        "ecs": {"version": VERSION},
        "message": str(event),
        "event": {
            "kind": "event" if event.fate in _QUIET else "alert",
            "category": ["file", "network"] if decision else ["network"],
            "type": _TYPES.get(event.fate, ["info"]),
            "action": f"{'upload' if decision else 'connection'}-{event.fate}",
            "outcome": _OUTCOMES.get(event.fate, outcome),
            "reason": event.refusal,
            "id": event.uid,
            "sequence": record.seq,
            "hash": record.hash,
            "module": "safelight",
            "dataset": "safelight.audit",
        },
        "rule": {
            "name": list(event.rules),
            "ruleset": record.policy,
            "version": record.revision,
        },
        "destination": {"domain": event.domain},
        "observer": {
            "vendor": "Safelight",
            "product": "safelight",
            "version": __version__,
            "type": "proxy",
        },
        "safelight": {
            "service": record.service,
            "host": record.host,
            "fate": str(event.fate),
            "found": list(event.found),
            "removed": list(event.removed),
        },
    }
    if decision is not None:
        types = sorted({picture.type for picture in decision.pictures})
        found["file"] = {
            "extension": [media.of(known).ending for known in types],
            "mime_type": [media.of(known).mime for known in types],
            "size": [picture.received for picture in decision.pictures],
        }
        found["safelight"] |= {
            "verdict": str(decision.verdict),
            "shape": decision.shape,
            "doubts": list(decision.doubts),
            "received": decision.received,
        }
    return _without_nothing(found)


def _without_nothing(fields: dict[str, Any]) -> dict[str, Any]:
    """The same without values that say nothing."""
    full = {
        name: _without_nothing(value) if isinstance(value, dict) else value
        for name, value in fields.items()
    }
    return {name: value for name, value in full.items() if value not in (None, [], {})}
