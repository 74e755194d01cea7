"""The audit record: what was decided, and nothing about the person."""

from safelight.audit.keeper import looked_after
from safelight.audit.keys import FIRST_PUBLIC, LAST_CHECKPOINT, Keyring
from safelight.audit.log import AuditError, AuditLog
from safelight.audit.notes import Checkpoint, NoteError, Verifier
from safelight.audit.proof import Proof, ProofError, Result
from safelight.audit.read import every, parse, told
from safelight.audit.record import (
    Decision,
    End,
    Ending,
    Erased,
    Paused,
    Picture,
    PolicyLoaded,
    PolicyRejected,
    Record,
    Release,
    SegmentOpen,
    Told,
    Unseen,
)
from safelight.audit.verify import verify
from safelight.audit.writer import moment

__all__ = [
    "FIRST_PUBLIC",
    "LAST_CHECKPOINT",
    "AuditError",
    "AuditLog",
    "Checkpoint",
    "Decision",
    "End",
    "Ending",
    "Erased",
    "Keyring",
    "NoteError",
    "Paused",
    "Picture",
    "PolicyLoaded",
    "PolicyRejected",
    "Proof",
    "ProofError",
    "Record",
    "Release",
    "Result",
    "SegmentOpen",
    "Told",
    "Unseen",
    "Verifier",
    "every",
    "looked_after",
    "moment",
    "parse",
    "told",
    "verify",
]
