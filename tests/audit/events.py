"""Events of every fate, made by hand."""

from __future__ import annotations

from safelight.audit import Decision, End, Picture, Release, Unseen
from safelight.audit.events import Event

_COMMON = {
    "at": "2026-11-23T10:15:04.123Z",
    "seq": 7,
    "prev": "0" * 64,
    "hash": "a" * 64,
}
_POLICY = {"policy": "home", "revision": "a81c"}
PHOTO = Picture(
    type="jpeg", received=5000, sent=4000, found=("device", "location"), removed=True, renamed=True
)


def decided(**changes: object) -> Decision:
    """A decision; without changes, of a photo that left clean."""
    fields = {
        **_COMMON,
        **_POLICY,
        "id": "d_000000000001",
        "service": "chatgpt_web",
        "host": "*.oaiusercontent.com",
        "shape": "multipart",
        "received": 5200,
        "verdict": "allow",
        "transforms": ("rename", "strip-metadata"),
        "matched": ("clean-every-picture",),
        "pictures": (PHOTO,),
        **changes,
    }
    return Decision.model_validate(fields)


def ended(how: str, *found: str, **changes: object) -> End:
    """The end of a photo that flowed."""
    end = {**_COMMON, "seq": 8, "of": "d_000000000001", "how": how, "sent": 5000, "found": found}
    return End.model_validate({**end, **changes})


def answered(how: str, **changes: object) -> Event:
    """An upload that waited for a yes, and how that ended."""
    waited = decided(verdict="hold", refusal="held", by=("ask-first",), **changes)
    return Event(waited, release=Release.model_validate({**_COMMON, "of": waited.id, "how": how}))


def unseen(how: str) -> Unseen:
    """A connection that nobody looked into."""
    return Unseen.model_validate(
        {**_COMMON, **_POLICY, "service": "grok_app", "host": "api.x.ai", "how": how}
    )


def of_a_later_version() -> Decision:
    """A decision with a verdict that nobody here knows."""
    return decided().model_copy(update={"verdict": "hold"})


_LEFT_ALONE = Picture(type="png", received=900, sent=900)
_BLOCKED = PHOTO.model_copy(update={"sent": None, "removed": False, "renamed": False})
_FLOWING = {"flowing": True, "pictures": (Picture(type="mp4", received=5000, sent=5000),)}

EVENTS = {
    "cleaned": Event(decided(pictures=(PHOTO, _LEFT_ALONE))),
    "sent": Event(decided(pictures=(_LEFT_ALONE,), verdict="warn", doubts=("unreadable",))),
    "stopped": Event(
        decided(verdict="block", refusal="policy", by=("no-scans",), pictures=(_BLOCKED,))
    ),
    "stopped unread": Event(
        decided(verdict="block", refusal="too-large", pictures=(), received=None, matched=())
    ),
    "held": Event(of_a_later_version()),
    "approved": answered("approved"),
    "denied": answered("denied"),
    "left while it waited": answered("left", pictures=(_BLOCKED,)),
    "flowed": Event(decided(**_FLOWING), ended("whole", "location")),
    "flowed, nothing found": Event(decided(**_FLOWING), ended("whole")),
    "stopped on its way": Event(decided(**_FLOWING), ended("stopped", refusal="unreadable")),
    "broken off": Event(decided(**_FLOWING), ended("broken-off", "device")),
    "without an end": Event(decided(**_FLOWING)),
    "announced": Event(decided(pictures=())),
    "announced, in doubt": Event(decided(pictures=(), doubts=("unalterable",))),
    "a type nobody knows": Event(decided(pictures=(Picture(type="raw", received=5),))),
    "a host for itself": Event(decided(host="claude.ai", service="claude_web")),
    "uninspected": Event(unseen("uninspected")),
    "certificate rejected": Event(unseen("certificate-rejected")),
}
