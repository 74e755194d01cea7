"""The audit record: what was decided, and nothing about the person."""

from safelight.audit.log import FILE_NAME, AuditError, AuditLog
from safelight.audit.read import every, last, parse
from safelight.audit.record import Decision, End, Ending, Picture, Record, Unseen

__all__ = [
    "FILE_NAME",
    "AuditError",
    "AuditLog",
    "Decision",
    "End",
    "Ending",
    "Picture",
    "Record",
    "Unseen",
    "every",
    "last",
    "parse",
]
