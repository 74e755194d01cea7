"""What a refused upload is told: a closed list of causes, each in words a parent understands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Cause(StrEnum):
    """Why an upload was refused. The values appear in answers and in the audit record."""

    POLICY = "policy"
    HELD = "held"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    UNKNOWN_SHAPE = "unknown-shape"
    UNALTERABLE = "unalterable"
    AMBIGUOUS_REQUEST = "ambiguous-request"
    POLICY_UNUSABLE = "policy-unusable"
    AUDIT_UNWRITABLE = "audit-unwritable"
    ENGINE_ERROR = "engine-error"


_STATUS = {
    Cause.TOO_LARGE: 413,
    Cause.AMBIGUOUS_REQUEST: 400,
    Cause.POLICY_UNUSABLE: 503,
    Cause.AUDIT_UNWRITABLE: 503,
    Cause.ENGINE_ERROR: 503,
}

_ADVICE = {
    Cause.POLICY: "Your policy file says so; change it there if this is not what you want.",
    Cause.HELD: "It needs a yes: answer `safelight holds`, and send it again.",
    Cause.UNREADABLE: "Try another copy of the picture, saved as JPEG or PNG.",
    Cause.TOO_LARGE: "Send a smaller file, or raise `largest-upload` in your policy file.",
    Cause.UNKNOWN_SHAPE: "Try the service's ordinary upload button with one JPEG or PNG picture.",
    Cause.UNALTERABLE: "Clean the picture first (`safelight strip FILE`), then send the copy.",
    Cause.AMBIGUOUS_REQUEST: "If this was an ordinary web page, load it again.",
    Cause.POLICY_UNUSABLE: "Mend the policy file; Safelight reads it again by itself.",
    Cause.AUDIT_UNWRITABLE: "Make room on the disk, or make the folder writable; then try again.",
    Cause.ENGINE_ERROR: "Please try again; if it stays, report it with the record's number.",
}


# Why what needs a yes did not get one.
_NO_YES = {
    "denied": "Somebody said no.",
    "timed-out": "Nobody answered in time.",
    "full": "Too many uploads wait already.",
    "nobody-to-ask": "There is nobody to ask.",
    "asked": "It is too large to wait here, but it can be answered for from now on.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An upload that did not leave: the cause, the reason in a sentence, where it was going."""

    cause: Cause
    reason: str
    service: str
    record: str | None = None

    def because(self, how: str) -> Refusal:
        """The same, with how the wait for a yes ended."""
        return replace(self, reason=f"{self.reason} {_NO_YES.get(how, '')}".strip())

    @property
    def status(self) -> int:
        """The HTTP status code that says this."""
        return _STATUS.get(self.cause, 403)

    @property
    def message(self) -> str:
        """All of it in a few plain sentences."""
        return f"Safelight did not send this to {self.service}. {self.reason} {self.advice}"

    @property
    def advice(self) -> str:
        """What the person can do."""
        return _ADVICE[self.cause]
