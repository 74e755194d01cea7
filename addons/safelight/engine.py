"""Where the rooms meet: an upload in, an outcome out. Knows no proxy.

Whatever happens in here, an outcome that lets a picture leave exists only after its audit
record was synced.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight import audit, bodies, images, policy
from safelight.audit import AuditError
from safelight.bodies import Doubt, Shape
from safelight.examiner import PICTURES, Picture, examine
from safelight.journal import Journal
from safelight.policy import Action, Verdict
from safelight.refusals import Cause, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.audit import AuditLog
    from safelight.policy import LoadedPolicy, Policy
    from safelight.services import Destination

logger = logging.getLogger(__name__)

_CAUSES = {
    Doubt.UNREADABLE: Cause.UNREADABLE,
    Doubt.UNKNOWN_SHAPE: Cause.UNKNOWN_SHAPE,
    Doubt.TOO_LARGE: Cause.TOO_LARGE,
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A request with a body that is on its way to an AI service.

    `headers` has lower-case names; `body` is as the client sent it, content coding and all.
    `length_promised`: it must stay as long as it is, for reasons that the headers do not say.
    """

    destination: Destination
    path: str
    headers: Mapping[str, str]
    body: bytes
    length_promised: bool = False

    @property
    def query(self) -> str:
        """The part of the path after the question mark."""
        return self.path.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an upload: either `body` may leave, or `refusal` says why nothing may.

    `pictures` counts those in it, `removed` names the kinds of findings that were taken out,
    `warnings` are what the policy wants the person to be told. `headers` are those (lower-case)
    that have to change with the body.
    """

    body: bytes = b""
    refusal: Refusal | None = None
    pictures: int = 0
    removed: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


_NOTHING = bodies.Survey(Shape.BINARY)


@dataclass(slots=True)
class _Case:
    """One upload while it is being judged; `body` is without its content coding."""

    upload: Upload
    body: bytes = b""
    survey: bodies.Survey = _NOTHING
    pictures: list[Picture] = field(default_factory=list)
    doubts: dict[Cause, str] = field(default_factory=dict)
    cleaned: dict[bodies.Site, bytes] = field(default_factory=dict)
    names: dict[bodies.Name, str] = field(default_factory=dict)

    def doubt(self, cause: Cause, reason: str) -> None:
        self.doubts.setdefault(cause, reason)


class Engine:
    """Judges uploads under one policy and records every decision.

    `loaded` is None when the policy file cannot be used: then no picture leaves.
    """

    def __init__(self, loaded: LoadedPolicy | None, log: AuditLog) -> None:
        self._policy: Policy | None = loaded.policy if loaded else None
        self._journal = Journal(log, loaded)
        default: int = policy.Policy.model_fields["largest_upload"].default
        self.largest_upload = self._policy.largest_upload if self._policy else default

    def process(self, upload: Upload) -> Outcome:
        """Judge one upload. Never raises."""
        try:
            return self._process(upload)
        except AuditError as error:
            return _unrecorded(upload.destination, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may leave
            # The type alone: the text of an exception may quote what was being uploaded.
            logger.error("internal error while judging an upload: %s", type(error).__name__)  # noqa: TRY400
            return self.refuse(
                upload.destination, Cause.ENGINE_ERROR, "Something went wrong inside Safelight."
            )

    def refuse(
        self, destination: Destination, cause: Cause, reason: str, received: int | None = None
    ) -> Outcome:
        """Record and return a refusal that needs no look at the body. Never raises."""
        try:
            record = self._journal.refused(destination, cause, received)
        except AuditError as error:
            return _unrecorded(destination, error)
        return Outcome(refusal=Refusal(cause, reason, destination.service.name, record))

    def _process(self, upload: Upload) -> Outcome:
        case = _Case(upload)
        self._read(case)
        if not case.pictures and not case.doubts:
            body = _packed(case, case.body)
            return Outcome(body, headers=_new_headers(upload, body))
        if self._policy is None:
            reason = "The policy file has a mistake, so nothing can be decided."
            return self.refuse(upload.destination, Cause.POLICY_UNUSABLE, reason, len(upload.body))
        service = upload.destination.service
        decision = policy.decide(
            self._policy, (picture.facts(service.id, service.category) for picture in case.pictures)
        )
        _transform(case, decision.transforms)
        for cause, reason in case.doubts.items():
            decision = decision.and_also(policy.when_unsure(self._policy, cause, reason))
        return self._conclude(case, decision)

    def _read(self, case: _Case) -> None:
        """Find and examine every picture, or note why that cannot be done."""
        upload = case.upload
        coding = upload.headers.get("content-encoding", "")
        try:
            case.body = bodies.decode_coding(upload.body, coding, self.largest_upload)
        except bodies.ExpandsTooFarError as error:
            case.doubt(Cause.TOO_LARGE, f"It cannot be looked at: {error}.")
            return
        except bodies.CodingError as error:
            case.doubt(Cause.UNKNOWN_SHAPE, f"It cannot be looked at: {error}.")
            return
        case.survey = bodies.survey(case.body, upload.headers.get("content-type", ""), PICTURES)
        for found in case.survey.doubts:
            case.doubt(_CAUSES[found.doubt], found.reason)
        if case.body and bodies.is_piece(upload.headers, upload.query):
            case.doubt(Cause.UNKNOWN_SHAPE, "It is sent in pieces, which cannot be joined yet.")
        for site in case.survey.sites:
            picture = examine(case.body, site)
            case.pictures.append(picture)
            if picture.error is not None:
                case.doubt(Cause.UNREADABLE, picture.error)

    def _conclude(self, case: _Case, decision: policy.Decision) -> Outcome:
        """Build what may leave and read it again; record the decision; only then let it go."""
        upload = case.upload
        blocked = decision.verdict is Verdict.BLOCK
        refusal = self._cause(case, decision) if blocked else None
        body = upload.body if blocked else _rewritten(case)
        record = self._journal.decided(
            upload.destination,
            case.survey.shape,
            len(upload.body),
            [_entry(case, picture, blocked=blocked) for picture in case.pictures],
            decision,
            case.doubts,
            refusal,
        )
        reasons = tuple(sorted(decision.because))
        if refusal is not None:
            name = upload.destination.service.name
            return Outcome(
                refusal=Refusal(refusal, " ".join(reasons), name, record),
                pictures=len(case.pictures),
            )
        cleaned = [picture for picture in case.pictures if picture.site in case.cleaned]
        removed = frozenset(kind for picture in cleaned for kind in picture.kinds)
        headers = _new_headers(upload, body)
        return Outcome(body, None, len(case.pictures), removed, reasons, headers)

    def _cause(self, case: _Case, decision: policy.Decision) -> Cause:
        """A rule that blocks is the cause; otherwise the first doubt that blocks is."""
        if decision.deciding or self._policy is None:
            return Cause.POLICY
        return next(
            cause
            for cause, reason in case.doubts.items()
            if policy.when_unsure(self._policy, cause, reason).verdict is Verdict.BLOCK
        )


def _unrecorded(destination: Destination, error: AuditError) -> Outcome:
    logger.error("%s", error)
    reason = "The decision could not be written to the audit file."
    return Outcome(refusal=Refusal(Cause.AUDIT_UNWRITABLE, reason, destination.service.name))


def _transform(case: _Case, transforms: frozenset[Action]) -> None:
    """Clean and rename as decided, unless something forbids any change."""
    if Action.STRIP_METADATA in transforms:
        _clean(case)
    if Action.RENAME in transforms:
        pictures = {picture.site.part: picture for picture in reversed(case.pictures)}
        numbers = {part: number for number, part in enumerate(sorted(pictures), 1)}
        case.names = {
            name: pictures[name.part].neutral_name(
                numbers[name.part], case.body[name.start : name.end]
            )
            for name in case.survey.names
        }
    changed = bool(case.cleaned or case.names)
    if changed and not _may_change(case.upload):
        reason = "A signature or checksum forbids any change to the picture."
        case.doubt(Cause.UNALTERABLE, reason)
        case.cleaned.clear()
        case.names.clear()


def _may_change(upload: Upload) -> bool:
    """Can the body change without anybody noticing by a signature or a digest?"""
    try:
        bodies.renewed_digests(upload.headers, b"")
    except bodies.DigestError:
        return False
    return not bodies.is_signed(upload.headers, upload.query)


def _new_headers(upload: Upload, body: bytes) -> Mapping[str, str]:
    return {} if body is upload.body else bodies.renewed_digests(upload.headers, body)


def _clean(case: _Case) -> None:
    usual = _length(case)
    for picture in case.pictures:
        if picture.error is not None:
            continue
        length = images.Length.SAME_LENGTH if picture.site.fixed else usual
        try:
            cleaned = picture.cleaned(length)
        except images.UnalterableError as error:
            case.doubt(Cause.UNALTERABLE, str(error))
            continue
        except images.ImageError as error:
            case.doubt(Cause.UNREADABLE, str(error))
            continue
        if cleaned != picture.content:
            case.cleaned[picture.site] = cleaned


def _length(case: _Case) -> images.Length:
    """Keep the length wherever it was, or may have been, promised before."""
    upload = case.upload
    road = upload.destination.road
    promised = (
        upload.length_promised
        or bodies.promises_length(upload.headers, upload.query)
        or (road is not None and road.size_declared)
        or (road is None and case.survey.shape is Shape.RAW)
    )
    return images.Length.SAME_LENGTH if promised else images.Length.COMPACT


def _rewritten(case: _Case) -> bytes:
    """The body that may leave, in the coding it came in. Raises RuntimeError if it is wrong."""
    if not case.cleaned and not case.names:
        # In doubt the policy may let it go as it is: then it was perhaps not even unpacked.
        return case.upload.body if case.doubts else _packed(case, case.body)
    body = bodies.rewrite(case.body, case.cleaned, case.names)
    _read_again(body, case)
    return _packed(case, body)


def _packed(case: _Case, body: bytes) -> bytes:
    """`body` in the coding it came in, packed anew: compressed formats have room for names and
    for blocks that every reader skips."""
    upload = case.upload
    coding = upload.headers.get("content-encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return upload.body if body == case.body else body
    if body == case.body and not _may_change(upload):
        return upload.body
    return bodies.encode_coding(body, coding)


def _read_again(body: bytes, case: _Case) -> None:
    """The new body must hold exactly the pictures it should, found by looking afresh."""
    again = bodies.survey(body, case.upload.headers.get("content-type", ""), PICTURES)
    found = [examine(body, site) for site in again.sites]
    wanted = [case.cleaned.get(picture.site, picture.content) for picture in case.pictures]
    if [picture.content for picture in found] != wanted:
        raise RuntimeError
    for before, after in zip(case.pictures, found, strict=True):
        if before.site in case.cleaned and (after.error is not None or after.kinds):
            raise RuntimeError


def _entry(case: _Case, picture: Picture, *, blocked: bool) -> audit.Picture:
    cleaned = not blocked and picture.site in case.cleaned
    sent = None if blocked else case.cleaned.get(picture.site, picture.content)
    renamed = not blocked and any(name.part == picture.site.part for name in case.names)
    return picture.entry(sent, cleaned=cleaned, renamed=renamed)
