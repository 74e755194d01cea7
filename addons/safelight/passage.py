"""A picture that is cleaned while it flows: what was decided of it before its first byte left,
and what was found by the time its last one did.

Its length was declared and stays. Nothing of a piece leaves before it was cleaned, and the last
piece not before the end was recorded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from safelight import bodies, images
from safelight.audit import AuditError, Ending
from safelight.bodies import Shape
from safelight.case import Outcome, Waits, may_change
from safelight.examiner import PICTURES
from safelight.images import ImageError, StreamCleaner
from safelight.journal import digest
from safelight.policy import Action, Verdict, bounds, decide
from safelight.refusals import Cause, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blake3 import blake3

    from safelight.case import Upload
    from safelight.in_force import Rules
    from safelight.journal import Journal
    from safelight.policy import Decision, Facts, Policy
    from safelight.services import Destination

# How much of an upload is seen before it is decided whether it can flow.
HEAD = 65_536


class StoppedError(Exception):
    """The upload must not go on; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


@dataclass(slots=True)
class Passage:
    """One upload on its way. `headers` and `path` are what has to change before it leaves."""

    destination: Destination
    rules: Policy
    facts: Facts
    record: str
    journal: Journal
    cleaner: StreamCleaner
    left: int
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None
    waits: Waits | None = None
    withheld: bytes = b""
    sent: int = 0
    ended: bool = False
    seen: blake3 = field(default_factory=digest)

    def admit(self, how: str) -> Refusal | None:
        """Let one that waits flow if it was `approved`, and that is on record; otherwise say why
        it may not."""
        reasons = " ".join(sorted(self.waits.decision.because)) if self.waits else ""
        held = Refusal(Cause.HELD, reasons, self.destination.service.name, self.record)
        if how != "approved":
            return held.because(how)
        try:
            self.journal.released(self.record, how)
        except AuditError:
            reason = "The decision could not be written to the audit file."
            return replace(held, cause=Cause.AUDIT_UNWRITABLE, reason=reason)
        return None

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece; what may leave comes back. Raises StoppedError."""
        self.left -= len(piece)
        self.seen.update(piece)
        try:
            clean = self.cleaner.feed(piece)
            if self.left == 0:
                self.cleaner.close()
        except ImageError as error:
            raise self._stopped(Cause.UNREADABLE, str(error)) from error
        if self.left == 0:
            self.withheld, clean = clean, b""
        self.sent += len(clean)
        return clean

    def finish(self) -> bytes:
        """The whole upload has come: what is left of it. Raises StoppedError."""
        if self.left:
            raise self._stopped(Cause.UNREADABLE, "It is shorter than it was said to be.")
        if self.sent + len(self.withheld) != self.facts.size:
            raise self._stopped(Cause.ENGINE_ERROR, "Its length changed on its way.")
        try:
            self._end(Ending.WHOLE, self.sent + len(self.withheld))
        except AuditError as error:
            reason = "How it ended could not be written to the audit file."
            raise self._stopped(Cause.AUDIT_UNWRITABLE, reason) from error
        return self.withheld

    def abandon(self) -> None:
        """The client has gone, or the service."""
        if not self.ended:
            self._end(Ending.BROKEN_OFF, self.sent)

    @property
    def found(self) -> frozenset[str]:
        """Kinds of what was found so far."""
        return frozenset(str(finding.kind) for finding in self.cleaner.findings)

    @property
    def decision(self) -> Decision:
        """What the policy says of it with what was found so far."""
        return decide(self.rules, [replace(self.facts, metadata=self.found)])

    def _stopped(self, cause: Cause, reason: str) -> StoppedError:
        name = self.destination.service.name
        try:
            self._end(Ending.STOPPED, self.sent, cause)
        except AuditError:
            return StoppedError(Refusal(cause, reason, name))
        return StoppedError(Refusal(cause, reason, name, self.record))

    def _end(self, how: Ending, sent: int, cause: Cause | None = None) -> None:
        self.ended = True
        content = None if self.left else self.seen.digest()
        self.journal.ended(self.record, how, sent, self.found, self.decision, cause, content)


def begin(rules: Rules, upload: Upload, total: int, largest_held: int) -> Passage | None:
    """A passage for an upload of `total` bytes whose first ones are `upload.body`; None if it has
    to be looked at as a whole. One that needs a yes `waits` if it is larger than what can be held
    until then. Raises AuditError."""
    policy = rules.policy
    known = images.sniff(upload.body)
    if policy is None or known not in images.STREAMED or not _can_flow(upload, total):
        return None
    if bodies.beside_the_body(upload.path, upload.headers, PICTURES):
        return None
    facts = replace(rules.facts(upload), type=str(known), size=total, shape=str(Shape.RAW), count=1)
    decision = _decided(policy, facts, may_wait=total > largest_held)
    if decision is None:
        return None
    named = bodies.neutral_declaration(upload.body, upload.path, upload.headers)
    renames = Action.RENAME in decision.transforms and named is not None
    record = rules.journal.flowing(
        upload.destination,
        str(known),
        total,
        decision,
        upload.sender,
        renamed=renames,
    )
    cleaner = StreamCleaner(known, total)
    waits = None
    if decision.verdict is Verdict.HOLD:
        # What comes later is not known yet: the yes is to what begins like this and is as large.
        content = hashlib.sha256(f"{total} ".encode() + upload.body[:HEAD]).hexdigest()
        waits = Waits(
            record,
            decision,
            1,
            total,
            None,
            (content,),
            Outcome(),
            rules.journal,
            upload.workspace,
        )
    passage = Passage(upload.destination, policy, facts, record, rules.journal, cleaner, total)
    passage.waits = waits
    if renames and named is not None:
        passage.headers = named.headers
        passage.path = named.path if named.path != upload.path else None
    return passage


def _can_flow(upload: Upload, total: int) -> bool:
    """Is the body the picture, in one piece, and can it change without anybody noticing?"""
    headers = upload.headers
    plain = headers.get("content-encoding", "identity").strip().lower() in {"", "identity"}
    try:
        piece = bodies.piece_of(headers, upload.path, total)
    except ValueError:
        return False
    return (
        plain and piece is None and may_change(upload) and not bodies.renewed_digests(headers, b"")
    )


def _decided(rules: Policy, facts: Facts, *, may_wait: bool) -> Decision | None:
    """The decision, if it lets it leave clean whatever is going to be found; if it `may_wait`, also
    after a yes."""
    # Findings will be known by its end. How many pixels it has will not: nobody asks the cleaner.
    if any(one.upload and one.upload.more_pixels_than is not None for one in rules.conditions()):
        return None
    least, most = bounds(rules, [facts])
    waits = may_wait and most.verdict is Verdict.HOLD
    same = least.transforms == most.transforms and (waits or not most.verdict.stops)
    # What is to stay of the metadata is told from the rest by looking at all of it.
    same = same and not least.kept
    decision = most if waits else least
    return decision if same and Action.STRIP_METADATA in least.transforms else None
