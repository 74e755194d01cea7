"""Where the rooms meet: an upload in, an outcome out. Knows no proxy.

Whatever happens in here, an outcome that lets a picture leave exists only after its audit
record was synced.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from safelight import bodies, conclusions, in_force, joining, passage, policy
from safelight.audit import AuditError
from safelight.bodies import Doubt
from safelight.case import (
    Case,
    Outcome,
    Upload,
    may_change,
    new_headers,
    packed,
    transform,
)
from safelight.examiner import PICTURES, examine
from safelight.in_force import InForce
from safelight.pieces import Pieces
from safelight.policy import Action
from safelight.refusals import Cause
from safelight.uploads import UnknownPieceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from safelight.audit import AuditLog
    from safelight.passage import Passage
    from safelight.policy import LoadedPolicy
    from safelight.services import Destination

logger = logging.getLogger(__name__)

# What cannot be cleaned while it flows has to fit in memory, a few times over.
LARGEST_HELD = 500_000_000
_WENT_WRONG = "Something went wrong inside Safelight."
_CAUSES = {
    Doubt.UNREADABLE: Cause.UNREADABLE,
    Doubt.UNKNOWN_SHAPE: Cause.UNKNOWN_SHAPE,
    Doubt.TOO_LARGE: Cause.TOO_LARGE,
}


# The types of pictures that are not called as their endings are.
_TYPES = {
    **dict.fromkeys(("jpg", "jpe", "jfif", "mpo"), "jpeg"),
    **dict.fromkeys(("heic", "heics", "heifs"), "heif"),
    **dict.fromkeys(("tif", "dng"), "tiff"),
    **dict.fromkeys(("mov", "m4v"), "mp4"),
    **dict.fromkeys(("cr2", "cr3", "nef", "arw", "orf", "rw2", "raf"), "raw"),
    "apng": "png",
    "avifs": "avif",
}


class Engine:
    """Judges uploads by the policy that is `in_force` and records every decision.

    `loaded` is None when the policy file cannot be used: then no picture leaves.
    """

    def __init__(
        self,
        loaded: LoadedPolicy | None,
        log: AuditLog,
        clock: Callable[[], datetime] = in_force.clock,
    ) -> None:
        self.in_force = InForce(loaded, log, clock)
        self.pieces = Pieces()

    @property
    def largest_upload(self) -> int:
        """The size in bytes from which on an upload is too large to be looked at."""
        default: int = policy.Policy.model_fields["largest_upload"].default
        now = self.in_force.policy
        return now.largest_upload if now else default

    @property
    def largest_held(self) -> int:
        """The same for one that has to be in memory as a whole."""
        return min(self.largest_upload, LARGEST_HELD)

    def concerns(self, upload: Upload) -> bool:
        """Is there anything to judge: a body, or what is said before one comes?"""
        return bool(
            upload.body
            or bodies.is_partial(upload.headers)
            or bodies.neutral_declaration(b"", upload.path, upload.headers)
            or bodies.beside_the_body(upload.path, upload.headers, PICTURES)
        )

    def is_plain(self, upload: Upload) -> bool:
        """Is it a short text in which nothing is to be judged, changed or put on record? What this
        cannot tell at once, it is not. Never raises, never waits for anything."""
        # To look at a piece that has its turn gives it its place.
        if upload.turn or upload.headers.get("content-encoding"):
            return False
        if not bodies.is_prose(upload.body, PICTURES):
            return False
        try:
            return self._leaves_as_it_is(Case(upload, self.in_force.now()))
        except Exception:  # noqa: BLE001 - whatever it is, it is judged like all others
            return False

    def lets_through(self, destinations: Sequence[Destination]) -> bool:
        """May a connection to these services go on without being looked at? Recorded if so."""
        now = self.in_force.policy
        through = now.pass_through if now else ()
        if not destinations or any(one.service.id not in through for one in destinations):
            return False
        return self._records(destinations[0], "uninspected")

    def rejected(self, destination: Destination) -> None:
        """A program would not accept the certificate, so it sent nothing."""
        self._records(destination, "certificate-rejected")

    def _records(self, destination: Destination, how: str) -> bool:
        try:
            self.in_force.now().journal.unseen(destination, how)
        except AuditError as error:
            logger.error("%s", error, extra=conclusions.UNWRITABLE)  # noqa: TRY400 - says it all
            return False
        return True

    def process(self, upload: Upload) -> Outcome:
        """Judge one upload. Never raises."""
        rules = self.in_force.now()
        try:
            outcome = self._process(Case(upload, rules))
        except AuditError as error:
            outcome = conclusions.unrecorded(upload.destination, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the policy says what follows
            _say("judging", error)
            outcome = conclusions.in_doubt(
                rules, upload.destination, Cause.ENGINE_ERROR, _WENT_WRONG, len(upload.body)
            )
            outcome = outcome if outcome.refusal else replace(outcome, body=upload.body)
        if outcome.waits is None:
            self.pieces.judged(upload, outcome)
        return outcome

    def released(self, upload: Upload, refused: Outcome, how: str) -> Outcome:
        """What becomes of an upload whose wait ended: it leaves only if it was approved and that is
        on record. Never raises."""
        outcome = conclusions.released(upload.destination, refused, how)
        waited = refused.waits
        if waited is not None and waited.piece is not None:
            if outcome.refusal is None:
                self.pieces.approve(waited.piece, waited.reasons)
            else:
                self.pieces.forget(waited.piece)
        self.pieces.judged(upload, outcome)
        return outcome

    def flow(self, upload: Upload, total: int) -> Passage | None:
        """A way for an upload of `total` bytes to flow, of which `upload.body` has come; None if
        it has to be looked at as a whole, or if that cannot be told. Never raises."""
        try:
            return passage.begin(self.in_force.now(), upload, total, self.largest_held)
        except Exception as error:  # noqa: BLE001 - it is then looked at as a whole
            _say("beginning", error)
            return None

    def too_large(self, destination: Destination, reason: str, received: int | None) -> Outcome:
        """What the policy says of an upload that is too large to be looked at. Never raises."""
        return conclusions.in_doubt(
            self.in_force.now(), destination, Cause.TOO_LARGE, reason, received
        )

    def refuse(
        self, destination: Destination, cause: Cause, reason: str, received: int | None = None
    ) -> Outcome:
        """Record and return a refusal that needs no look at the body. Never raises."""
        return conclusions.refused(self.in_force.now(), destination, cause, reason, received)

    def _process(self, case: Case) -> Outcome:
        self._look(case)
        if case.piece is not None:
            return joining.judge(self.pieces, case, case.piece)
        if not case.pictures and not case.doubts:
            return self._without_anything(case) or self._without_names(case)
        rules = case.rules
        if rules.policy is None:
            return conclusions.undecidable(case)
        known = replace(
            rules.facts(case.upload), shape=str(case.survey.shape), count=len(case.pictures)
        )
        decision = policy.decide(rules.policy, (picture.facts(known) for picture in case.pictures))
        transform(case, decision)
        return conclusions.conclude(case, conclusions.with_doubts(rules.policy, case, decision))

    def _leaves_as_it_is(self, case: Case) -> bool:
        self._look(case)
        if case.piece or case.pictures or case.doubts:
            return False
        outcome = self._without_anything(case)
        return outcome is not None and outcome.body is case.upload.body and not outcome.headers

    def _look(self, case: Case) -> None:
        self._read(case)
        if bodies.beside_the_body(case.upload.path, case.upload.headers, PICTURES):
            case.doubt(Cause.UNKNOWN_SHAPE, "A picture stands in its address or its headers.")

    def _read(self, case: Case) -> None:
        """Find and examine every picture, or note why that cannot be done."""
        upload = case.upload
        coding = upload.headers.get("content-encoding", "")
        try:
            case.body = bodies.decode_coding(upload.body, coding, self.largest_held)
        except bodies.ExpandsTooFarError as error:
            case.doubt(Cause.TOO_LARGE, f"It cannot be looked at: {error}.")
            return
        except bodies.CodingError as error:
            case.doubt(Cause.UNKNOWN_SHAPE, f"It cannot be looked at: {error}.")
            return
        case.piece = self._piece(case)
        if case.piece is not None or case.doubts:
            return
        if case.body is not upload.body and not may_change(upload):
            # It leaves packed as it came, with what a compressed format has room for besides.
            packed_with = bodies.survey(upload.body, "", PICTURES)
            if packed_with.sites or packed_with.doubts:
                case.doubt(Cause.UNALTERABLE, "A signature or checksum forbids to pack it anew.")
        case.survey = bodies.survey(case.body, upload.headers.get("content-type", ""), PICTURES)
        for found in case.survey.doubts:
            case.doubt(_CAUSES[found.doubt], found.reason)
        for site in case.survey.sites:
            picture = examine(case.body, site)
            case.pictures.append(picture)
            if picture.error is not None:
                case.doubt(Cause.UNREADABLE, picture.error)

    def _piece(self, case: Case) -> bodies.Piece | None:
        try:
            return self.pieces.find(case)
        except ValueError:
            case.doubt(Cause.UNKNOWN_SHAPE, "It is a piece of something, but not clear of what.")
        except UnknownPieceError as error:
            case.doubt(Cause.UNKNOWN_SHAPE, str(error))
        return None

    def _without_anything(self, case: Case) -> Outcome | None:
        """A request without pictures; None if it may name one that comes before or after it."""
        upload = case.upload
        completing = self.pieces.with_digest(upload.path, case.body)
        if completing != case.body and may_change(upload):
            body = packed(case, completing)
            return Outcome(body, headers=new_headers(upload, body))
        case.named = bodies.neutral_declaration(case.body, upload.path, upload.headers)
        unnamed = case.named is None or case.rules.policy is None or not may_change(upload)
        return conclusions.as_it_is(case) if unnamed else None

    def _without_names(self, case: Case) -> Outcome:
        """A request without pictures that names one."""
        upload, rules, named = case.upload, case.rules, case.named
        if named is None or rules.policy is None:
            return conclusions.as_it_is(case)
        known = rules.facts(upload)
        least, most = policy.bounds(
            rules.policy, [replace(known, type=_type_by_ending(one)) for one in named.endings]
        )
        if Action.RENAME not in most.transforms:
            return conclusions.as_it_is(case)
        # Whether the picture may leave is decided when it comes; only its name goes in any case.
        decision = policy.Decision(transforms=most.transforms, matched=least.matched)
        return conclusions.conclude(case, decision)


def _type_by_ending(ending: str) -> str:
    return _TYPES.get(ending, ending)


def _say(doing: str, error: Exception) -> None:
    # The type alone: the text of an exception may quote what was being uploaded.
    kind = type(error).__name__
    logger.error(
        "internal error while %s an upload: %s",
        doing,
        kind,
        extra={"event": "internal-error", "facts": {"type": kind}},
    )
