"""What each field of a record of an upload says, in a sentence: for `audit show` and the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.audit.record import Decision, End, Picture, Release, Unseen

if TYPE_CHECKING:
    from pydantic import BaseModel

_ALL = {
    "v": "The version of this form of record.",
    "kind": "What kind of record it is.",
    "seq": "Its number in the log. None is missing and none comes twice.",
    "at": "When it was written, in UTC.",
    "prev": "The hash of the record before: taking one out or changing one shows.",
    "hash": "The SHA-256 of this record and, through `prev`, of all before it.",
}
_WHERE = {
    "service": "The AI service, as the catalogue calls it.",
    "host": "The catalogue's pattern for the host; never the name that was asked for, since a "
    "wildcard may stand for a person's own name.",
    "policy": "The name of the policy that decided.",
    "revision": "Which state of the policy file that was.",
}
_EXPLAINED: dict[type[BaseModel], dict[str, str]] = {
    Decision: {
        **_ALL,
        **_WHERE,
        "id": "The decision's own number. Refusals show it.",
        "road": "Which of the service's upload steps it was.",
        "shape": "How the request carried the pictures.",
        "received": "The size of the request's body in bytes, as it came.",
        "pictures": "The pictures and documents in it, without their names.",
        "verdict": "What the policy said: allow, warn (let it go and tell), hold (let it wait for "
        "a yes) or block.",
        "client": "A pseudonym of the user or the address that it came from; only this month's key "
        "can tell.",
        "workspace": "A pseudonym of the service's workspace that the request named; only this "
        "month's key can tell.",
        "people": "The policy's groups of people that these belong to.",
        "shadow": "Rules that only monitor and would have applied.",
        "excepted": "Exceptions that kept a rule from applying.",
        "paused": "Rules that would have stopped it, but were paused.",
        "transforms": "What was to be done to the pictures before they leave.",
        "kept": "What the rules let stay of the metadata, where a picture says it.",
        "matched": "The rules whose conditions were met.",
        "by": "The rules that decided, if it was stopped.",
        "doubts": "Why it could not be judged with certainty.",
        "refusal": "The cause why nothing left.",
        "flowing": "It was cleaned while it left; a record of its end follows.",
    },
    Picture: {
        "type": "The type, told by its content.",
        "received": "Its size in bytes as it came.",
        "sent": "Its size in bytes as it left; missing when it did not leave.",
        "found": "What kinds of things it carried besides the picture, not the things themselves.",
        "removed": "Were they taken out before it left?",
        "same-length": "Was its size to stay the same?",
        "renamed": "Was its file name replaced by a neutral one?",
        "pixels": "How many it has; 0 where that is not known.",
        "content": "A pseudonym of the file: who has it and this month's key can find it here.",
    },
    End: {
        **_ALL,
        "of": "The id of the decision whose upload ended.",
        "how": "Did it end whole, was it stopped, or was it broken off?",
        "sent": "How many bytes left.",
        "found": "What kinds of things were taken out on the way.",
        "matched": "The rules whose conditions were met once all was found.",
        "refusal": "The cause why it was stopped on its way.",
        "content": "A pseudonym of the file: who has it and this month's key can find it here.",
    },
    Release: {
        **_ALL,
        "of": "The id of the decision whose upload waited.",
        "how": "Was it approved, so that it left, or denied, or not answered in time; did too many "
        "wait, was the page left, or was there nobody to ask?",
    },
    Unseen: {
        **_ALL,
        **_WHERE,
        "how": "Uninspected: let through without a look, as the policy says. Certificate-rejected: "
        "the program would not accept the certificate, and sent nothing.",
    },
}


def explained(model: type[BaseModel]) -> dict[str, str]:
    """What the fields of `model` say, by the names they have in the log; nothing for models that
    only keep the log itself in order."""
    return _EXPLAINED.get(model, {})
