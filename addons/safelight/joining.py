"""A piece of an upload, judged with what was found in it and before.

Each piece has a decision and a record of its own. A yes is to all of an upload: only a rule that
did not speak before asks again.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from safelight import bodies, conclusions, images, policy
from safelight.bodies import Shape
from safelight.case import Outcome, Waits, entry_of_piece, may_change, new_headers, rewritten_piece
from safelight.policy import Verdict
from safelight.refusals import Cause, Refusal
from safelight.uploads import UnknownPieceError

if TYPE_CHECKING:
    from safelight.case import Case
    from safelight.pieces import Pieces
    from safelight.policy import Policy
    from safelight.uploads import CleanPiece


def judge(pieces: Pieces, case: Case, piece: bodies.Piece) -> Outcome:
    """Judge a piece of an upload with what was found in it and before."""
    upload, rules = case.upload, case.rules.policy
    if rules is None:
        pieces.forget(piece)
        return conclusions.undecidable(case)
    if upload.headers.get("content-encoding", "identity") != "identity":
        case.doubt(Cause.UNKNOWN_SHAPE, "It is a piece of something that cannot be followed.")
    if case.doubts:
        return _unjoined(pieces, rules, case, piece)
    try:
        clean = pieces.clean(piece, bodies.content(case.body, case.site))
    except UnknownPieceError as error:
        case.doubt(Cause.UNKNOWN_SHAPE, str(error))
    except images.UnalterableError as error:
        case.doubt(Cause.UNALTERABLE, str(error))
    except images.ImageError as error:
        case.doubt(Cause.UNREADABLE, str(error))
    else:
        if clean.type is None:
            return Outcome(upload.body)
        return _joined(pieces, rules, case, piece, clean)
    return _unjoined(pieces, rules, case, piece)


def _unjoined(pieces: Pieces, rules: Policy, case: Case, piece: bodies.Piece) -> Outcome:
    """What the policy says of a piece that cannot be judged."""
    pieces.forget(piece)
    return conclusions.conclude(
        case, conclusions.with_doubts(rules, case, policy.decide(rules, ()))
    )


def _joined(
    pieces: Pieces, rules: Policy, case: Case, piece: bodies.Piece, clean: CleanPiece
) -> Outcome:
    """Decide on a piece of a picture, record that, and let it go clean."""
    upload, service = case.upload, case.upload.destination.service
    shape = Shape.MULTIPART if case.form else Shape.RAW
    facts = replace(
        case.rules.facts(upload),
        type=str(clean.type),
        size=piece.total,
        metadata=clean.kinds,
        shape=str(shape),
        count=1,
    )
    # Of what comes in pieces, nothing is kept.
    decision = replace(policy.decide(rules, [facts]), kept=frozenset())
    body = rewritten_piece(case, clean, decision.transforms)
    if body is not upload.body and not may_change(upload):
        case.doubt(Cause.UNALTERABLE, "A signature or checksum forbids any change to it.")
        decision = conclusions.with_doubts(rules, case, decision)
        case.cleaned.clear()
        case.names.clear()
        body = upload.body
    blocked = decision.verdict is Verdict.BLOCK
    refusal = conclusions.why_stopped(case, decision) if decision.verdict.stops else None
    record = case.rules.journal.decided(
        upload.destination,
        shape,
        len(upload.body),
        [(entry_of_piece(case, clean, blocked=blocked), None)],
        decision,
        case.doubts,
        refusal,
        upload.sender,
    )
    said = tuple(sorted(decision.because))
    removed = clean.kinds if case.cleaned else frozenset()
    sent = Outcome(body, None, 1, removed, said, new_headers(upload, body))
    if refusal is None:
        return sent
    refused = Outcome(refusal=Refusal(refusal, " ".join(said), service.name, record))
    if blocked:
        pieces.forget(piece)
        return refused
    reasons = decision.deciding | frozenset(map(str, case.doubts))
    if pieces.approved(piece, reasons):
        case.rules.journal.released(record, "approved")
        return sent
    waits = Waits(
        record,
        decision,
        1,
        len(upload.body),
        clean.kinds,
        (_digest(bodies.content(case.body, case.site), piece.total),),
        sent,
        case.rules.journal,
        upload.workspace,
        piece,
        reasons,
    )
    return replace(refused, pictures=1, waits=waits)


def _digest(content: bytes, total: int | None) -> str:
    """What tells a piece from others: itself, and how large all of its upload is."""
    return hashlib.sha256(f"{total} ".encode() + content).hexdigest()
