"""Policy files that change while the proxy runs, and the pause: looked at each second.

A policy that has a mistake changes nothing: the last good one stays, and the mistake is told.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from datetime import UTC
from typing import TYPE_CHECKING

from safelight import assembly, audit, pausing, policy
from safelight.documents import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from safelight.assembly import Assembly

logger = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds

# A file, and what tells that it is as it was; nothing of that while it is not there. Another file
# in its place may be as large, and as old by the time that copying keeps.
type _Stamp = tuple[Path, tuple[int, ...]]


class Reloading:
    """Make it before the policy is read for the first time, so that no change is missed."""

    def __init__(self, files: Sequence[Path], state: Path) -> None:
        self._files = tuple(files)
        self._state = state
        self._read = self._seen = self._stamps()
        self._paused = False
        self._stopped = threading.Event()

    def start(self, assembled: Assembly) -> None:
        """Keep the engine of `assembled` up to date from now on."""
        self.look(assembled)
        threading.Thread(
            target=self._run, args=(assembled,), name="safelight-reloading", daemon=True
        ).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def look(self, assembled: Assembly) -> None:
        """Look once: at the pause, and at files that have changed and have rested since."""
        self._look_at_pause(assembled)
        stamps = self._stamps()
        # Half a file can be a valid policy with half of the rules.
        rested, self._seen = stamps == self._seen, stamps
        if not rested or stamps == self._read:
            return
        self._read = stamps
        try:
            loaded = assembly.load_policy(self._files, assembled.catalogue)
        except DocumentError as error:
            what = "the last good one stays" if assembled.engine.in_force.policy else "none counts"
            where = [f"{one.file}:{one.line}:{one.column}" for one in error.problems]
            logger.error(  # noqa: TRY400 - for people
                "The policy has a mistake, so %s:\n%s",
                what,
                error,
                extra={"event": "policy-rejected", "facts": {"where": where}},
            )
            _record(assembled, audit.PolicyRejected())
            return
        assembled.engine.in_force.adopt(loaded)
        name, revision = loaded.policy.name, loaded.revision
        _record(assembled, audit.PolicyLoaded(policy=name, revision=revision))
        logger.info(
            "The policy was read again: %s, revision %s.",
            name,
            revision,
            extra={"event": "policy-loaded", "facts": {"revision": revision}},
        )

    def _look_at_pause(self, assembled: Assembly) -> None:
        in_force = assembled.engine.in_force
        until = pausing.read(self._state)
        in_force.pause(until)
        paused = in_force.now().paused
        if paused != self._paused:
            self._paused = paused
            moment = audit.moment(until.astimezone(UTC)) if until and paused else None
            _record(assembled, audit.Paused(until=moment))
            what = "A pause began: rules that are not locked stop nothing."
            logger.info(
                what if paused else "The pause is over.",
                extra={"event": "pause-began" if paused else "pause-ended"},
            )

    def _run(self, assembled: Assembly) -> None:
        while not self._stopped.wait(INTERVAL):
            try:
                self.look(assembled)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look comes
                logger.error("the policy could not be looked at: %s", type(error).__name__)  # noqa: TRY400

    def _stamps(self) -> tuple[_Stamp, ...]:
        return tuple(_stamp(file) for file in policy.files(self._files))


def _stamp(file: Path) -> _Stamp:
    try:
        found = file.stat()
    except OSError:
        return file, ()
    same = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return file, same


def _record(assembled: Assembly, record: audit.Record) -> None:
    # While nothing can be written no picture leaves, whatever the policy.
    with contextlib.suppress(audit.AuditError):
        assembled.log.append(record)
