"""What a flow asks of the engine: where it goes, for whom, and the upload that it is."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from safelight.case import Upload
from safelight.proxy import framing
from safelight.services import Destination, Role
from safelight.services.learnt import LONGEST_ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mitmproxy.http import HTTPFlow

    from safelight.services import Catalogue, Learnt

DESTINATION = "safelight.destination"
TURN = "safelight.turn"
WORKSPACE = "safelight.workspace"
_FIELDS = "safelight.fields"
_LONG_HEAD = 1 << 14  # bytes


def find(
    flow: HTTPFlow, names: Iterable[str], catalogue: Catalogue, learnt: Learnt
) -> Destination | None:
    """Where it goes, by the catalogue or by what a service said; None where nobody is known."""
    request = flow.request
    for name in names:
        found = catalogue.find(name, request.port, request.method, request.path)
        if found is not None:
            return found
        told = learnt.find(name, request.path)
        if told is not None:
            return Destination(*told)
    return None


def workspace(flow: HTTPFlow, to: Destination, names: Iterable[str], learnt: Learnt) -> str | None:
    """The workspace that a request says, or for which its address was given out; None if these
    are different ones."""
    path, said = flow.request.path, headers(flow)
    found = {
        one
        for name in names
        for one in (to.workspace(name, path, said), learnt.workspace(to.service, name, path))
        if one is not None
    }
    return found.pop() if len(found) == 1 else None


def destination(flow: HTTPFlow) -> Destination | None:
    """Where it was found to go; None for what nobody looks at."""
    found: Destination | None = flow.metadata.get(DESTINATION)
    return found


def upload(flow: HTTPFlow, body: bytes) -> Upload:
    """The upload that it is, of which `body` is there."""
    return Upload(
        flow.metadata[DESTINATION],
        flow.request.path,
        headers(flow),
        body,
        turn=flow.metadata[TURN],
        client=framing.client(flow),
        identity=framing.identity(flow),
        workspace=flow.metadata[WORKSPACE],
    )


def headers(flow: HTTPFlow) -> Mapping[str, str]:
    """Its fields by their names in lower case; values of one that comes again, behind commas."""
    fields = flow.request.headers.fields
    before, found = flow.metadata.get(_FIELDS, (None, {}))
    if before is not fields:
        found = _by_name(fields)
        flow.metadata[_FIELDS] = (fields, found)
    return MappingProxyType(found)


def _by_name(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    # Asking for them one by one goes through all of them each time.
    found: dict[str, str] = {}
    for raw, content in fields:
        name = raw.decode("utf-8", "surrogateescape").lower()
        value = content.decode("utf-8", "surrogateescape")
        known = found.get(name)
        found[name] = value if known is None else f"{known}, {value}"
    return found


def has_long_head(flow: HTTPFlow) -> bool:
    """May it take a while to look into its address and its fields?"""
    fields = sum(len(name) + len(value) for name, value in flow.request.headers.fields)
    return len(flow.request.path) + fields > _LONG_HEAD


def declared_length(flow: HTTPFlow) -> int:
    """How many bytes its body has, as it says; 0 where it does not."""
    declared = headers(flow).get("content-length", "0")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def carries_bytes(to: Destination) -> bool:
    """May a picture be in it? Yes, unless it is known to be another step of an upload."""
    return to.road is None or to.road.role.carries_bytes


def names_addresses(flow: HTTPFlow) -> bool:
    """Is this the answer to a step that asks where a picture should go?"""
    to = destination(flow)
    if to is None or to.road is None or to.road.role is not Role.DECLARE or flow.response is None:
        return False
    fields = flow.response.headers
    media_type = fields.get("content-type", "").partition(";")[0].strip().lower()
    length = fields.get("content-length", "")
    # Anything else may be a stream that somebody is waiting for.
    whole = length.isdigit() or (not length and media_type == "application/json")
    return flow.response.status_code < 400 and whole and int(length or 0) <= LONGEST_ANSWER
