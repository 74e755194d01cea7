"""Uploads that wait for a person: which there are, what was answered, which answers still hold."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_WAITING = 100
MOST_BYTES = 1_000_000_000  # bodies that wait stand in memory
LONGEST_WAIT = 600  # seconds
YES_HOLDS = 3_600  # seconds: so that a retry passes
NO_HOLDS = 60  # seconds: so that a page that tries again at once does not ask again
_MOST_REMEMBERED = 1_000


class Answer(StrEnum):
    """How a wait ended, or that one has begun."""

    APPROVED = "approved"
    DENIED = "denied"
    TIMED_OUT = "timed-out"
    FULL = "full"
    ASKED = "asked"


class Held(BaseModel):
    """An upload that waits. `content` are digests of its pictures, `client` is who sends it, as
    `user:anna`, or the address that it comes from, `workspace` is that of the service; these are
    kept in memory alone. `size` is in bytes, `found` are kinds (None: not known yet), `because`
    sentences for people, `rules` ids."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    service: str
    pictures: int
    size: int
    found: tuple[str, ...] | None = ()
    rules: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    client: str | None = None
    workspace: str | None = None

    @property
    def same(self) -> tuple[object, ...]:
        """What another upload has in common with this one if it is the same again, by the same
        person, to the same place, for the same reasons."""
        place = (self.service, self.workspace, self.client)
        return (*place, tuple(sorted(self.rules)), tuple(sorted(self.content)))


@dataclass(slots=True)
class _Wait:
    held: Held
    since: float
    in_memory: bool = True
    answer: asyncio.Future[Answer] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Waiting:
    """All that wait. `clock` counts seconds; moments it gives are those of the person's clock."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._waits: dict[str, _Wait] = {}
        self._later: set[asyncio.Task[Answer]] = set()
        self._answered: OrderedDict[tuple[object, ...], tuple[Answer, float]] = OrderedDict()

    async def wait(self, held: Held, longest: float = LONGEST_WAIT) -> Answer:
        """How it ends: by an answer, or after `longest` seconds. A wait that is cancelled is
        gone."""
        remembered = self._remembered(held)
        if remembered is not None:
            return remembered
        size = held.size + sum(wait.held.size for wait in self._waits.values() if wait.in_memory)
        if len(self._waits) >= MOST_WAITING or size > MOST_BYTES:
            return Answer.FULL
        return await self._end_of(_Wait(held, self._clock()), longest)

    def ask(self, held: Held, longest: float = LONGEST_WAIT) -> Answer:
        """What was answered before; otherwise people may answer for `longest` seconds, for when it
        is sent again. Nothing of it is kept meanwhile."""
        remembered = self._remembered(held)
        if remembered is not None:
            return remembered
        if any(wait.held.same == held.same for wait in self._waits.values()):
            return Answer.ASKED
        if len(self._waits) >= MOST_WAITING:
            return Answer.FULL
        wait = _Wait(held, self._clock(), in_memory=False)
        task = asyncio.ensure_future(self._end_of(wait, longest))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return Answer.ASKED

    async def _end_of(self, wait: _Wait, longest: float) -> Answer:
        held = wait.held
        self._waits[held.id] = wait
        try:
            async with asyncio.timeout(longest):
                return await wait.answer
        except TimeoutError:
            return Answer.TIMED_OUT
        finally:
            del self._waits[held.id]

    def waits(self, id_: str) -> bool:
        """Does this one wait?"""
        return id_ in self._waits

    def every(self) -> list[tuple[Held, float]]:
        """Who waits, and since when, oldest first."""
        return [(wait.held, wait.since) for wait in self._waits.values()]

    def answer(self, id_: str, *, approve: bool) -> bool:
        """Answer one, and others that wait with the same pictures; False if there is none."""
        asked = self._waits.get(id_)
        if asked is None:
            return False
        answer = Answer.APPROVED if approve else Answer.DENIED
        until = self._clock() + (YES_HOLDS if approve else NO_HOLDS)
        if asked.held.content:
            self._answered[asked.held.same] = (answer, until)
            self._answered.move_to_end(asked.held.same)
            while len(self._answered) > _MOST_REMEMBERED:
                self._answered.popitem(last=False)
        for wait in self._waits.values():
            same = wait is asked or (wait.held.content and wait.held.same == asked.held.same)
            if same and not wait.answer.done():
                wait.answer.set_result(answer)
        return True

    def _remembered(self, held: Held) -> Answer | None:
        if not held.content:
            return None
        answer, until = self._answered.get(held.same, (None, 0.0))
        return answer if self._clock() < until else None
