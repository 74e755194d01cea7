"""How an upload ends: recorded first, then it leaves, is refused, or waits for a person's yes."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from safelight import policy
from safelight.audit import AuditError
from safelight.bodies import Shape
from safelight.case import Case, Outcome, Waits, entry, new_headers, packed, rewritten
from safelight.policy import Verdict
from safelight.refusals import Cause, Refusal

if TYPE_CHECKING:
    from safelight.in_force import Rules
    from safelight.policy import Policy
    from safelight.services import Destination

logger = logging.getLogger(__name__)

UNWRITABLE = {"event": "audit-unwritable"}


def conclude(case: Case, decision: policy.Decision) -> Outcome:
    """Build what may leave and read it again; record the decision; only then let it go."""
    upload = case.upload
    blocked = decision.verdict is Verdict.BLOCK
    refusal = why_stopped(case, decision) if decision.verdict.stops else None
    body = upload.body if blocked else rewritten(case)
    record = case.rules.journal.decided(
        upload.destination,
        case.survey.shape,
        len(upload.body),
        [(entry(case, picture, blocked=blocked), picture.content) for picture in case.pictures],
        decision,
        case.doubts,
        refusal,
        upload.sender,
    )
    reasons = tuple(sorted(decision.because))
    sent = None if blocked else _sent(case, body, reasons)
    if refusal is None and sent is not None:
        return sent
    name = upload.destination.service.name
    return Outcome(
        refusal=Refusal(refusal or Cause.POLICY, " ".join(reasons), name, record),
        pictures=len(case.pictures),
        waits=_waits(case, record, decision, sent) if sent is not None else None,
    )


def _sent(case: Case, body: bytes, reasons: tuple[str, ...]) -> Outcome:
    upload = case.upload
    cleaned = [picture for picture in case.pictures if picture.site in case.cleaned]
    removed = frozenset(kind for picture in cleaned for kind in picture.kinds)
    headers = dict(new_headers(upload, body))
    path = None
    if case.named is not None:
        headers |= case.named.headers
        path = case.named.path if case.named.path != upload.path else None
    return Outcome(body, None, len(case.pictures), removed, reasons, headers, path)


def _waits(case: Case, record: str, decision: policy.Decision, sent: Outcome) -> Waits:
    contents = [picture.content for picture in case.pictures] or [case.upload.body]
    return Waits(
        record,
        decision,
        len(case.pictures),
        len(case.upload.body),
        frozenset(kind for picture in case.pictures for kind in picture.kinds),
        (_digest(contents),),
        sent,
        case.rules.journal,
        case.upload.workspace,
    )


def _digest(contents: list[bytes]) -> str:
    """What tells an upload from others: its pictures, in whatever order."""
    digests = sorted(hashlib.sha256(content).digest() for content in contents)
    return hashlib.sha256(b"".join(digests)).hexdigest()


def why_stopped(case: Case, decision: policy.Decision) -> Cause:
    """What waits is held; a rule blocks, or else the first doubt that does."""
    rules = case.rules.policy
    if decision.verdict is Verdict.HOLD:
        return Cause.HELD
    if decision.deciding or rules is None:
        return Cause.POLICY
    return next(
        cause
        for cause, reason in case.doubts.items()
        if policy.when_unsure(rules, cause, reason).verdict is Verdict.BLOCK
    )


def with_doubts(rules: Policy, case: Case, decision: policy.Decision) -> policy.Decision:
    """The decision, and what the policy says of each doubt."""
    for cause, reason in case.doubts.items():
        decision = decision.and_also(policy.when_unsure(rules, cause, reason))
    return decision


def in_doubt(
    rules: Rules, destination: Destination, cause: Cause, reason: str, received: int | None
) -> Outcome:
    """What the policy says of an upload that nobody looked into; without a policy it stays here."""
    decision = policy.when_unsure(rules.policy, cause, reason) if rules.policy else None
    if decision is None or decision.verdict.stops:
        return refused(rules, destination, cause, reason, received)
    try:
        rules.journal.decided(destination, Shape.BINARY, received, [], decision, [cause], None)
    except AuditError as error:
        return unrecorded(destination, error)
    return Outcome(warnings=tuple(sorted(decision.because)))


def refused(
    rules: Rules, destination: Destination, cause: Cause, reason: str, received: int | None
) -> Outcome:
    try:
        record = rules.journal.refused(destination, cause, received)
    except AuditError as error:
        return unrecorded(destination, error)
    return Outcome(refusal=Refusal(cause, reason, destination.service.name, record))


def undecidable(case: Case) -> Outcome:
    upload = case.upload
    reason = "The policy file has a mistake, so nothing can be decided."
    return refused(case.rules, upload.destination, Cause.POLICY_UNUSABLE, reason, len(upload.body))


def as_it_is(case: Case) -> Outcome:
    body = packed(case, case.body)
    return Outcome(body, headers=new_headers(case.upload, body))


def unrecorded(destination: Destination, error: AuditError) -> Outcome:
    logger.error("%s", error, extra=UNWRITABLE)
    reason = "The decision could not be written to the audit file."
    return Outcome(refusal=Refusal(Cause.AUDIT_UNWRITABLE, reason, destination.service.name))


def released(destination: Destination, held: Outcome, how: str) -> Outcome:
    """What becomes of an upload that waited: it leaves if it was approved and that is on record.
    `how` is a word of the audit record."""
    waits, refusal = held.waits, held.refusal
    if waits is None or refusal is None:
        return held
    try:
        waits.journal.released(waits.record, how)
    except AuditError as error:
        return unrecorded(destination, error)
    if how == "approved":
        return waits.then
    return replace(held, refusal=refusal.because(how), waits=None)
