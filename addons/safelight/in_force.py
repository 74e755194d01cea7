"""The policy that is in force: exchanged while uploads are on their way, paused for a while.

Every upload is judged by one of them from its beginning to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from safelight.journal import Journal
from safelight.policy import Facts, Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.audit import AuditLog
    from safelight.case import Upload
    from safelight.policy import LoadedPolicy

LONGEST_PAUSE = timedelta(hours=24)


def clock() -> datetime:
    """Now, on the clock of this machine."""
    return datetime.now(UTC).astimezone()


def is_paused(until: datetime, at: datetime) -> bool:
    """Is there a pause at that moment? A clock that was set back does not make one longer than
    anybody may ask for."""
    return at < until <= at + LONGEST_PAUSE


@dataclass(frozen=True, slots=True)
class Rules:
    """What one upload is judged by: `policy` is None when the file cannot be used. `at` is the
    moment at which that began; `paused` says whether somebody paused what stops uploads."""

    policy: Policy | None
    journal: Journal
    at: datetime
    paused: bool

    def facts(self, upload: Upload) -> Facts:
        """What rules can know of an upload before it is looked into."""
        service = upload.destination.service
        return Facts(
            service.id,
            service.category,
            "unknown",
            None,
            None,
            trains=service.trains_on_uploads,
            workspace=upload.workspace,
            client=upload.client,
            identity=upload.identity,
            at=self.at,
            paused=self.paused,
        )


class InForce:
    """The policy in force and its pause; both may change at any time, from any thread."""

    def __init__(
        self, loaded: LoadedPolicy | None, log: AuditLog, clock: Callable[[], datetime] = clock
    ) -> None:
        self._log = log
        self._clock = clock
        self._paused_until: datetime | None = None
        self.adopt(loaded)

    def adopt(self, loaded: LoadedPolicy | None) -> None:
        """Judge every upload that begins from now on by this policy."""
        # One assignment, so that nobody sees the policy of one and the journal of another.
        self._loaded = (loaded.policy if loaded else None, Journal(self._log, loaded))

    def pause(self, until: datetime | None) -> None:
        """Pause until then, or no longer. Nobody can ask for more than `LONGEST_PAUSE`."""
        self._paused_until = until

    @property
    def policy(self) -> Policy | None:
        """The policy that counts now."""
        return self._loaded[0]

    def now(self) -> Rules:
        """What an upload is judged by that begins now."""
        policy, journal = self._loaded
        at, until = self._clock(), self._paused_until
        return Rules(policy, journal, at, until is not None and is_paused(until, at))
