"""The Open Cybersecurity Schema Framework, version 1.8.0.

Each picture of an upload is one File Hosting Activity (6006, Upload). An upload that was stopped or
held is one Data Security Finding (2006) besides; a connection nobody looked into is one Network
Activity (4001). The schema wants to know who did it from where: no record says that, and the events
say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from safelight import __version__
from safelight.audit.events import Fate
from safelight.audit.export import media

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.audit.events import Event
    from safelight.audit.record import Picture

VERSION = "1.8.0"
PROFILES = ("data_classification", "security_control")
_UNRECORDED = "unrecorded"
_INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3
_PERSONAL = 1  # data_classification.category_id
_IN_TRANSIT = 2  # data_security.data_lifecycle_state_id
_SECURE_WEB_GATEWAY = 5  # data_security.detection_system_id


class _Meaning(NamedTuple):
    """What a fate is in the schema's numbers."""

    action: int
    disposition: int
    status: int
    severity: int
    words: str | None = None  # of a disposition that the schema has no number for


_OTHER = 99
_MEANINGS = {
    Fate.SENT: _Meaning(1, 1, 1, _INFORMATIONAL),
    Fate.CLEANED: _Meaning(4, _OTHER, 1, _INFORMATIONAL, "Cleaned"),
    Fate.STOPPED: _Meaning(2, 2, 2, _MEDIUM),
    Fate.HELD: _Meaning(2, 3, 0, _MEDIUM),
    Fate.BROKEN_OFF: _Meaning(4, _OTHER, 2, _LOW, "Broken off"),
    Fate.UNENDED: _Meaning(4, 0, 0, _LOW),
    Fate.UNINSPECTED: _Meaning(1, 1, 1, _LOW),
    Fate.CERTIFICATE_REJECTED: _Meaning(0, 0, 2, _LOW),
}


def events(event: Event) -> Iterator[dict[str, Any]]:
    """The schema's events of one event of ours."""
    if event.decision is None:
        opened = event.fate is Fate.UNINSPECTED
        yield _base(event, 4, 4001, 1 if opened else 4, event.uid)
        return
    pictures = event.decision.pictures
    for number, picture in enumerate(pictures, 1):
        uid = f"{event.uid}-{number}"
        yield _upload(event, uid, _file(event, f"image-{number}", picture))
    if not pictures:
        size = {} if event.received is None else {"size": event.received}
        yield _upload(event, event.uid, {"name": _UNRECORDED, "type_id": 0, **size})
    if event.fate in {Fate.STOPPED, Fate.HELD}:
        yield _finding(event)


def _base(event: Event, category: int, class_uid: int, activity: int, uid: str) -> dict[str, Any]:
    meaning = _MEANINGS[event.fate]
    base = {
        "category_uid": category,
        "class_uid": class_uid,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "time": int(event.moment.timestamp() * 1000),
        "severity_id": meaning.severity,
        "status_id": meaning.status,
        "action_id": meaning.action,
        "disposition_id": meaning.disposition,
        "is_alert": event.fate not in {Fate.SENT, Fate.CLEANED},
        "message": str(event),
        "metadata": _metadata(event, uid),
        "dst_endpoint": _destination(event),
        "policy": _policy(event),
        "unmapped": {"safelight": {"host": event.record.host, "hash": event.record.hash or ""}},
    }
    if meaning.words:
        base["disposition"] = meaning.words
    if event.refusal:
        base |= {"status_code": event.refusal, "status_detail": str(event)}
    if event.rules:
        rule = event.rules[0]
        base["firewall_rule"] = {"uid": rule, "name": rule, "version": event.record.revision}
    return base


def _metadata(event: Event, uid: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "version": VERSION,
        "profiles": list(PROFILES),
        "product": {"name": "safelight", "vendor_name": "Safelight", "version": __version__},
        "uid": uid,
        "correlation_uid": event.uid,
        "event_code": event.record.kind,
        "log_name": "audit",
        "original_time": event.record.at or _UNRECORDED,
    }
    if event.record.seq is not None:
        metadata["sequence"] = event.record.seq
    return metadata


def _destination(event: Event) -> dict[str, Any]:
    name = {"hostname": event.hostname} if event.hostname else {"domain": event.domain}
    return {"svc_name": event.record.service, "port": 443, **name}


def _policy(event: Event) -> dict[str, Any]:
    record = event.record
    return {"name": record.policy, "version": record.revision, "is_applied": True}


def _upload(event: Event, uid: str, file: dict[str, Any]) -> dict[str, Any]:
    return {
        **_base(event, 6, 6006, 1, uid),
        "actor": {"user": {"name": _UNRECORDED, "type_id": 0}},
        "src_endpoint": {"name": _UNRECORDED},
        "file": file,
    }


def _file(event: Event, name: str, picture: Picture) -> dict[str, Any]:
    known = media.of(picture.type)
    # What was found of a picture that flowed stands in its end; it is the only one then.
    found = event.found if event.end else picture.found
    file: dict[str, Any] = {
        "name": f"{name}.{known.ending}",
        "ext": known.ending,
        "mime_type": known.mime,
        "type_id": 1,
        "size": picture.received,
    }
    if found:
        file["data_classifications"] = [_classification(found)]
    return file


def _classification(found: tuple[str, ...]) -> dict[str, Any]:
    return {
        "category_id": _PERSONAL,
        "classifier_details": {"name": "safelight", "type": "metadata"},
        "discovery_details": [{"type": kind, "count": 1} for kind in found],
    }


def _finding(event: Event) -> dict[str, Any]:
    security: dict[str, Any] = {
        "data_lifecycle_state_id": _IN_TRANSIT,
        "detection_system_id": _SECURE_WEB_GATEWAY,
        "detection_pattern": event.refusal or "policy",
        "policy": _policy(event),
    }
    if event.found:
        security |= _classification(event.found)
    return {
        **_base(event, 2, 2006, 1, f"{event.uid}-finding"),
        "confidence_id": 3,
        "data_security": security,
        "finding_info": {
            "uid": event.uid,
            "title": str(event),
            "types": [event.refusal or str(event.fate)],
        },
    }
