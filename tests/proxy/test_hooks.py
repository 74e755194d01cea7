"""Each call of a hook is on its own, at once or later."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from mitmproxy.exceptions import AddonHalt, OptionsError
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.proxy.layers.http._hooks import HttpRequestHook
from mitmproxy.test import tflow

from safelight.proxy.hooks import HookCalls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ERRORS = [ValueError, AddonHalt, OptionsError, SystemExit, asyncio.CancelledError]


class Listener:
    def __init__(self, request: Callable[[], Awaitable[None] | None]) -> None:
        self.called = 0
        self.finished = 0
        self._request = request

    def request(self, _: object) -> Awaitable[None] | None:
        self.called += 1
        result = self._request()
        if result is None:
            self.finished += 1
            return None
        return self._later(result)

    async def _later(self, result: Awaitable[None]) -> None:
        await result
        self.finished += 1


async def called(*listeners: Listener) -> bool:
    """Was all done at once? Whatever was left is done now."""
    master = Master(Options())
    # It would want the loop for what is logged after its end.
    master._legacy_log_events.uninstall()
    calls = HookCalls(master)
    # What has no name of its own is called by its class, of which there may be only one.
    for number, listener in enumerate(listeners):
        listener.name = str(number)  # type: ignore[attr-defined]
        calls.add(listener)  # type: ignore[no-untyped-call]
    hook = HttpRequestHook(tflow.tflow())
    at_once = calls.began(hook)
    if not at_once:
        await calls.handle_lifecycle(hook)
    return at_once


def nothing() -> None:
    pass


async def later() -> None:
    await asyncio.sleep(0)


def raising(error: type[BaseException]) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def raising_later(error: type[BaseException]) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise error

    return fail


def test_what_takes_no_time_is_done_at_once() -> None:
    listeners = Listener(nothing), Listener(nothing)
    assert asyncio.run(called(*listeners))
    assert [one.finished for one in listeners] == [1, 1]


def test_who_comes_behind_one_that_takes_time_waits_for_it() -> None:
    order: list[str] = []

    async def first() -> None:
        await asyncio.sleep(0)
        order.append("first")

    second = Listener(lambda: order.append("second"))
    assert not asyncio.run(called(Listener(nothing), Listener(first), second))
    assert order == ["first", "second"]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_ends_its_own_call(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    for broken in (raising(error), raising_later(error)):
        for others in (nothing, later):
            listeners = Listener(others), Listener(broken), Listener(others)
            caplog.clear()
            with caplog.at_level(logging.ERROR):
                asyncio.run(called(*listeners))
            assert [one.finished for one in listeners] == [1, 0, 1]
            assert f"The hook request broke ({error.__name__})" in caplog.text


def test_who_is_cancelled_stops_waiting() -> None:
    async def cancel() -> bool:
        waiting = asyncio.create_task(called(Listener(lambda: asyncio.sleep(60))))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return waiting.cancelled()

    assert asyncio.run(cancel())
