"""What happened to an upload: as an event for who watches, and as lines for people."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from safelight import broker
from safelight.broker import Held
from safelight.cli import words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from safelight.case import Outcome
    from safelight.services import Destination

logger = logging.getLogger(__name__)


class Telling:
    """Tells the terminal, and everybody who watches."""

    def __init__(self, socket: Path) -> None:
        self._teller = broker.Teller(socket)

    def tell(self, destination: Destination, outcome: Outcome) -> None:
        """One upload that held a picture."""
        event: dict[str, Any] = {"at": time.time(), "service": destination.service.name}
        if outcome.refusal is not None:
            event |= {"cause": str(outcome.refusal.cause), "stopped": outcome.refusal.message}
        else:
            event |= {
                "pictures": outcome.pictures,
                "removed": sorted(outcome.removed),
                "notes": list(outcome.warnings),
            }
        logger.info("\n".join(lines(event)), extra=_as_facts(destination, outcome))
        self._teller.tell(event)


def _as_facts(destination: Destination, outcome: Outcome) -> dict[str, object]:
    service = destination.service.id
    if outcome.refusal is not None:
        cause, record = str(outcome.refusal.cause), outcome.refusal.record
        stopped = {"service": service, "cause": cause, "record": record}
        return {"event": "upload-stopped", "facts": stopped}
    removed, warned = sorted(outcome.removed), bool(outcome.warnings)
    sent = {"service": service, "pictures": outcome.pictures, "removed": removed, "warned": warned}
    return {"event": "upload-sent", "facts": sent}


def lines(event: Mapping[str, Any]) -> list[str]:
    """An event in words."""
    if "held" in event:
        held = Held.model_validate(event["held"])
        now = time.strftime("%H:%M:%S")
        what = f"{words.files(held.pictures)} to {held.service}: {reasons(held)}"
        return [f"{now}  waits    {what}", f"          answer   safelight holds approve {held.id}"]
    now = time.strftime("%H:%M:%S", time.localtime(event["at"]))
    if "stopped" in event:
        return [f"{now}  stopped  {event['stopped']}"]
    removed = words.listed([words.kind(kind) for kind in event["removed"]])
    what = f"removed {removed}" if removed else "nothing had to be removed"
    sent = f"{now}  sent     {words.files(event['pictures'])} to {event['service']}: {what}"
    return [sent, *(f"          note     {note}" for note in event["notes"])]


def reasons(held: Held) -> str:
    """Why an upload waits."""
    return " ".join(held.because) or words.listed(list(held.rules))
