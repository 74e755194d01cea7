"""Hooks that break, hang or leave end their own call and nothing else.

mitmproxy lets a hook's OptionsError, CancelledError or endless wait hang the client, SystemExit end
the proxy, and AddonHalt or any error skip hooks that come later. Here each call is on its own: it
ends, the others are made, and what it should have cleared has no clearance.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from dataclasses import fields
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from mitmproxy.addonmanager import AddonManager

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mitmproxy.hooks import Hook
    from mitmproxy.master import Master

    type _Listener = Callable[..., object]
    type _Begun = tuple[Awaitable[object], list[_Listener]]

logger = logging.getLogger(__name__)

LONGEST_HOOK = 900  # seconds; hooks that wait for a person or for the disk have limits of their own


class HookCalls(AddonManager):
    """Calls hooks one by one. Who listens to what is looked up once, so addons have to be added
    before the first connection: 38 % of the time that a small request took went there."""

    def __init__(self, master: Master) -> None:
        super().__init__(master)  # type: ignore[no-untyped-call]
        self._known: dict[str, tuple[list[str], list[_Listener]]] = {}
        self._begun: WeakKeyDictionary[Hook, _Begun] = WeakKeyDictionary()

    def began(self, event: Hook) -> bool:
        """Call all that listen to `event` as far as none has to be waited for; True if that was
        all. What is left is for `handle_lifecycle`."""
        names, listeners = self._about(event)
        arguments = [getattr(event, name) for name in names]
        for number, listener in enumerate(listeners, 1):
            try:
                result = listener(*arguments)
            except (Exception, SystemExit, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever it is, only this call ends
                _say(event, error)
                continue
            if result is not None and inspect.isawaitable(result):
                self._begun[event] = (result, listeners[number:])
                return False
        return True

    async def handle_lifecycle(self, event: Hook) -> None:
        """Call all that listen to `event`, or the rest of them if that began before. Raises only
        when the caller itself is cancelled."""
        if event not in self._begun and self.began(event):
            return
        awaited, left = self._begun.pop(event)
        await _wait(awaited, event)
        for listener in left:
            await _wait(_called(listener, event), event)

    def _about(self, event: Hook) -> tuple[list[str], list[_Listener]]:
        """What it says, by name, and who listens."""
        known = self._known.get(event.name)
        if known is None:
            names = [field.name for field in fields(event)]  # type: ignore[arg-type]
            listeners = [call for addon in self.chain for _, call in self._iter_hooks(addon, event)]
            known = self._known[event.name] = names, listeners
        return known


async def _called(listener: _Listener, event: Hook) -> None:
    result = listener(*event.args())
    if inspect.isawaitable(result):
        await result


async def _wait(awaited: Awaitable[object], event: Hook) -> None:
    try:
        async with asyncio.timeout(LONGEST_HOOK):
            await awaited
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
