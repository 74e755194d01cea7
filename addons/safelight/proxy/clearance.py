"""What may leave: a request needs a clearance for exactly the bytes that it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.proxy import flowing

if TYPE_CHECKING:
    from mitmproxy import http

_CLEARANCE = "safelight.clearance"
_CAP = "safelight.cap"


@dataclass(frozen=True, slots=True)
class Clearance:
    """What may leave: exactly `body`, or anything when `body` is None (not an AI service)."""

    body: bytes | None


def clear(flow: http.HTTPFlow) -> None:
    """Let this request's body, as it is now, go to its origin."""
    flow.metadata[_CLEARANCE] = Clearance(flow.request.raw_content or b"")


def clear_anything(flow: http.HTTPFlow) -> None:
    """Let this request go unexamined: it is not on its way to an AI service."""
    flow.metadata[_CLEARANCE] = Clearance(None)


def take_back(flow: http.HTTPFlow) -> None:
    """Let nothing more of this request go to its origin, and forget what went."""
    flow.metadata.pop(_CLEARANCE, None)
    flow.request.raw_content = None


def cap(flow: http.HTTPFlow, largest: int) -> None:
    """Stop reading this request's body past `largest` bytes."""
    flow.metadata[_CAP] = largest


def is_cleared(flow: http.HTTPFlow) -> bool:
    """May this request go to its origin as it is now?"""
    if flowing.passage_of(flow) is not None:
        return bool(flow.request.stream)
    clearance = flow.metadata.get(_CLEARANCE)
    if not isinstance(clearance, Clearance):
        return False
    if clearance.body is None:
        return True
    if flow.request.trailers:
        return False
    # A body that anybody changed after it was cleared is another object.
    body = flow.request.raw_content or b""
    return not flow.request.stream and (body is clearance.body or body == clearance.body)


def cap_of(flow: http.HTTPFlow) -> int | None:
    """How many bytes of this request's body may be read; None for any number."""
    largest: int | None = flow.metadata.get(_CAP)
    return largest
