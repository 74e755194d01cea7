"""What the guard and the addon tell each other about a body that flows: its beginning, the passage
it flows through, its last piece, why it was stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mitmproxy.proxy import commands

from safelight.refusals import Cause, Refusal

if TYPE_CHECKING:
    from mitmproxy import http

    from safelight.passage import Passage

_DECLARED = "safelight.declared"
_HEAD = "safelight.head"
_PASSAGE = "safelight.passage"
_LAST = "safelight.last"
_REFUSAL = "safelight.refusal"

NO_VERDICT = Refusal(
    Cause.ENGINE_ERROR, "There was no decision about it, so it stayed here.", "the service"
)


@dataclass
class UploadBeginsHook(commands.StartHook):
    """The beginning of a large body has come: `head` gives it. The addon may let it flow."""

    flow: http.HTTPFlow


@dataclass
class UploadEndsHook(commands.StartHook):
    """All of a body that flows has come. The addon gives the last of it by `release`, or refuses
    it by `stop`."""

    flow: http.HTTPFlow


@dataclass
class UploadStoppedHook(commands.StartHook):
    """A body must not flow on; `refusal` says why. The addon may set `flow.response`."""

    flow: http.HTTPFlow


def may_flow(flow: http.HTTPFlow, length: int) -> None:
    """Ask about this body of a declared `length` as soon as its beginning has come."""
    flow.metadata[_DECLARED] = length


def head(flow: http.HTTPFlow) -> tuple[bytes, int]:
    """What has come of a body that may flow, and its declared length."""
    return flow.metadata[_HEAD], flow.metadata[_DECLARED]


def let_flow(flow: http.HTTPFlow, passage: Passage) -> None:
    """Let this body go to its origin piece by piece, each as `passage` gives it out."""
    flow.metadata[_PASSAGE] = passage
    flow.request.stream = True


def passage_of(flow: http.HTTPFlow) -> Passage | None:
    """The passage through which this body flows."""
    return flow.metadata.get(_PASSAGE)


def is_asked_for(flow: http.HTTPFlow) -> bool:
    """Is the beginning of this body still to be shown?"""
    return _DECLARED in flow.metadata and _HEAD not in flow.metadata


def show_head(flow: http.HTTPFlow, begun: bytes) -> None:
    """Let `head` give the beginning of a body; b"" once that was looked at."""
    flow.metadata[_HEAD] = begun


def last_of(flow: http.HTTPFlow) -> bytes | None:
    """The last piece of a body, once it may go."""
    return flow.metadata.get(_LAST)


def release(flow: http.HTTPFlow, last: bytes) -> None:
    """Let the last piece of a body go."""
    flow.metadata[_LAST] = last


def stop(flow: http.HTTPFlow, refusal: Refusal) -> None:
    """Let no more of a body go."""
    flow.metadata[_REFUSAL] = refusal


def refusal(flow: http.HTTPFlow) -> Refusal:
    """Why a body was stopped on its way."""
    found: Refusal = flow.metadata.get(_REFUSAL, NO_VERDICT)
    return found
