"""Writes the audit records of uploads. What it is given, and so can write, is not personal."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blake3 import blake3

from safelight import audit
from safelight.bodies import Shape
from safelight.policy import groups
from safelight.refusals import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from safelight.audit import AuditLog
    from safelight.policy import Decision, LoadedPolicy
    from safelight.services import Destination

    type _Value = tuple[str, bytes]  # what it is for, and what it is

# What pseudonyms are for; those of different purposes cannot be compared.
CONTENT = "content"
CLIENT = "client"
WORKSPACE = "workspace"

# Of a picture's content, as hashlib's are. SHA-256 takes five times as long, which was the larger
# part of what it took to judge a photo.
digest = blake3


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends an upload: the address that it comes from, who that is known to be, and the
    workspace of the service in whose name it is sent. None of it is written as it is."""

    client: str | None = None
    identity: str | None = None
    workspace: str | None = None

    @property
    def values(self) -> list[_Value]:
        """What is written of it, and as what."""
        known = self.client and (self.identity or self.client)
        said = {WORKSPACE: self.workspace, CLIENT: known}
        return [(purpose, value.encode()) for purpose, value in said.items() if value is not None]


NOBODY = Sender()


class Journal:
    """Appends to an audit log in the name of one policy. Its methods raise audit.AuditError."""

    def __init__(self, log: AuditLog, loaded: LoadedPolicy | None) -> None:
        self._log = log
        self._policy = loaded.policy.name if loaded else "unusable"
        self._people = loaded.policy.people if loaded else {}
        self._revision = loaded.revision if loaded else "none"

    def refused(self, destination: Destination, cause: Cause, received: int | None) -> str:
        """Record a refusal that needed no look at the pictures; return the record's id."""
        return self._append(
            destination, {"verdict": "block", "refusal": str(cause), "received": received}
        )

    def decided(
        self,
        destination: Destination,
        shape: Shape,
        received: int | None,
        pictures: Sequence[tuple[audit.Picture, bytes | None]],
        decision: Decision,
        doubts: Iterable[Cause],
        refusal: Cause | None,
        sender: Sender = NOBODY,
    ) -> str:
        """Record a decision; return the record's id. With each picture goes its content, where it
        is at hand, which is recorded under a pseudonym."""
        contents = [
            None if content is None else (CONTENT, digest(content).digest())
            for _, content in pictures
        ]
        names = self._names(sender, *(content for content in contents if content))
        return self._append(
            destination,
            {
                "shape": str(shape),
                "received": received,
                "pictures": tuple(
                    picture.model_copy(update={"content": names[content] if content else None})
                    for (picture, _), content in zip(pictures, contents, strict=True)
                ),
                **_said(decision),
                "by": tuple(sorted(decision.deciding)),
                "doubts": tuple(sorted(doubts)),
                "refusal": str(refusal) if refusal else None,
                **self._from(sender, names),
            },
        )

    def flowing(
        self,
        destination: Destination,
        known: str,
        size: int,
        decision: Decision,
        sender: Sender,
        *,
        renamed: bool,
    ) -> str:
        """Record that a picture may leave while it is cleaned, perhaps after a yes; return the
        record's id."""
        picture = audit.Picture(
            type=known, received=size, sent=size, same_length=True, renamed=renamed
        )
        return self._append(
            destination,
            {
                "shape": str(Shape.RAW),
                "received": size,
                "pictures": (picture,),
                **_said(decision),
                "by": tuple(sorted(decision.deciding)) if decision.verdict.stops else (),
                "refusal": str(Cause.HELD) if decision.verdict.stops else None,
                "flowing": True,
                **self._from(sender, self._names(sender)),
            },
        )

    def ended(
        self,
        record: str,
        how: audit.Ending,
        sent: int,
        found: Iterable[str],
        decision: Decision,
        cause: Cause | None,
        content: bytes | None,
    ) -> None:
        """Record how such an upload ended, and what the policy says now that all was found.
        `content` is the `digest` of all of it, if all came."""
        self._log.append(
            audit.End(
                of=record,
                how=how,
                sent=sent,
                found=tuple(sorted(found)),
                matched=tuple(sorted(decision.matched)),
                refusal=str(cause) if cause else None,
                content=self._log.pseudonym(CONTENT, content) if content else None,
            )
        )

    def released(self, record: str, how: str) -> None:
        """Record how the wait of an upload ended."""
        self._log.append(audit.Release.model_validate({"of": record, "how": how}))

    def unseen(self, destination: Destination, how: str) -> None:
        """Record a connection of which nothing is seen."""
        record = {
            "service": destination.service.id,
            "host": destination.host_pattern,
            "policy": self._policy,
            "revision": self._revision,
            "how": how,
        }
        self._log.append(audit.Unseen.model_validate(record))

    def _names(self, sender: Sender, *contents: _Value) -> dict[_Value, str]:
        """The pseudonyms of these, and of what a record says of the sender."""
        wanted = [*contents, *sender.values]
        return dict(zip(wanted, self._log.pseudonyms(wanted), strict=True)) if wanted else {}

    def _from(self, sender: Sender, names: Mapping[_Value, str]) -> dict[str, object]:
        said: dict[str, object] = {
            purpose: names[purpose, value] for purpose, value in sender.values
        }
        if sender.client is not None:
            people = groups(self._people, sender.client, sender.identity) or ()
            said["people"] = tuple(sorted(people))
        return said

    def _append(self, destination: Destination, decided: dict[str, object]) -> str:
        record = audit.Decision.model_validate(
            {
                "id": f"d_{secrets.token_hex(6)}",
                "service": destination.service.id,
                "host": destination.host_pattern,
                "road": destination.road.id if destination.road else None,
                "policy": self._policy,
                "revision": self._revision,
                **decided,
            }
        )
        self._log.append(record)
        return record.id


def _said(decision: Decision) -> dict[str, object]:
    """What a decision says, but for the rules that ask for its verdict: of an upload that flows
    they are not known yet."""
    return {
        "verdict": str(decision.verdict),
        "transforms": tuple(sorted(decision.transforms)),
        "kept": tuple(sorted(decision.kept)),
        "matched": tuple(sorted(decision.matched)),
        "shadow": tuple(sorted(decision.shadow)),
        "excepted": tuple(sorted(decision.excepted)),
        "paused": tuple(sorted(decision.paused)),
    }
