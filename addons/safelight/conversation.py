"""What a client sends over one WebSocket. A picture that comes in several messages is held back
until it is whole, judged once, and leaves in messages as long as those that came.

Messages of one picture follow each other, and each begins with the same few bytes as the first, or
with none: Yandex Alice puts the number of a stream there. Everything behind a message that is held
waits for it, so that the order stays. What does not become whole in time, or is too much, is
judged message by message. One that a person has to say yes to waits for that as well; when more
comes behind it than can be held, the connection ends.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight import bodies, images
from safelight.examiner import PICTURES, examine

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.case import Outcome

MOST_HELD = 256_000_000  # bytes, over all connections
LEAST_COUNTED = 1_000  # bytes: what a message counts for at least, so that not too many are held
LONGEST_PAUSE = 20  # seconds
QUIET = 1  # seconds
_LONGEST_HEAD = 64
_FAR_ENOUGH = 65_536
# How often a picture may be looked at, on the average of its bytes, before nothing more comes.
_MOST_LOOKS = 16


class Room:
    """How much is held back at the moment, over all connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = 0

    def change(self, size: int) -> bool:
        """Hold `size` bytes more, or less; False when that is too much, and nothing changes."""
        with self._lock:
            if size > 0 and self._held + size > MOST_HELD:
                return False
            self._held += size
            return True


@dataclass(slots=True)
class Ready:
    """`messages` may leave, each with whether it is text; `waiting`: others are held back;
    `stopped`: nothing may follow. `outcomes` are those of what was judged; a person has to be
    asked about `asks`."""

    messages: list[tuple[bytes, bool]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    waiting: bool = False
    stopped: bool = False
    asks: Outcome | None = None


@dataclass(eq=False, slots=True)
class _Run:
    """A picture in several messages that all begin with `head`."""

    head: bytes
    touched: float = 0.0
    data: bytearray = field(default_factory=bytearray)
    longest: int = 0
    seen: int = 0
    looked: int = 0
    whole: bool = False
    cleaned: bytes | None = None


@dataclass(slots=True)
class _Held:
    """A message; its part of `run` begins at `start` of the picture."""

    content: bytes
    is_text: bool
    run: _Run | None = None
    start: int = 0


class Conversation:
    """One connection's messages. `judge` is given a message, or the picture that several make up,
    and whether it is text; it keeps the length of what is not. At most `largest` bytes are held."""

    def __init__(
        self,
        judge: Callable[[bytes, bool], Outcome],
        largest: int,
        room: Room,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._judge = judge
        self._largest = largest
        self._room = room
        self._clock = clock
        self._queue: deque[_Held] = deque()
        self._runs: list[_Run] = []
        self._size = 0
        self._taken = 0
        self._asked = False
        self._answer: Outcome | None = None

    @property
    def waiting(self) -> bool:
        """Is anything held back?"""
        return bool(self._queue)

    def add(self, content: bytes, *, is_text: bool) -> Ready:
        """Take the next message; say what may leave now."""
        held = _Held(content, is_text)
        self._queue.append(held)
        self._size += _cost(held)
        if is_text:
            self._look_at_all()  # the last message of a picture was most likely the one before
        else:
            self._join(held)
        return self._released()

    def look(self) -> Ready:
        """Nothing came for `QUIET` seconds; say what may leave now."""
        self._look_at_all()
        oldest = self._clock() - LONGEST_PAUSE
        if any(run.touched < oldest and not run.whole for run in self._runs):
            self._give_up()
        return self._released()

    def answered(self, outcome: Outcome) -> None:
        """A person was asked about the message that waits: this becomes of it."""
        self._answer = outcome

    def close(self) -> None:
        """The connection is over: forget what is held."""
        self._queue.clear()
        self._runs.clear()
        self._size = 0
        self._room.change(-self._taken)
        self._taken = 0

    def _join(self, held: _Held) -> None:
        """Find the picture that a message belongs to, if it belongs to one that is not whole."""
        run = next((run for run in self._runs if held.content.startswith(run.head)), None)
        if run is None:
            head = _head_of_cut_picture(held.content)
            if head is None:
                return
            run = _Run(head)
            # The more a head says, the surer it is.
            self._runs = sorted([*self._runs, run], key=lambda one: -len(one.head))
        part = held.content[len(run.head) :]
        if run.data and PICTURES.starts_image(part, len(part)):
            self._give_up()  # which of the two will the next message belong to?
            return
        held.run, held.start = run, len(run.data)
        run.data += part
        run.touched, run.whole = self._clock(), False
        # The last one is shorter, as a rule. If not, it becomes clear when nothing follows.
        if len(part) < run.longest and run.looked <= _MOST_LOOKS * len(run.data):
            _look(run)
        run.longest = max(run.longest, len(part))

    def _look_at_all(self) -> None:
        for run in self._runs:
            _look(run)

    def _give_up(self) -> None:
        """Judge message by message what did not become whole."""
        for held in self._queue:
            if held.run in self._runs:
                held.run = None
        self._runs.clear()

    def _released(self) -> Ready:
        ready = Ready()
        self._release(ready)
        if self._queue and not self._has_room():
            self._give_up()
            self._release(ready)
            if self._queue and not self._has_room():
                self._stop(ready)
        self._room.change(self._size - self._taken)
        self._taken = self._size
        ready.waiting = self.waiting
        return ready

    def _has_room(self) -> bool:
        if self._size > self._largest or not self._room.change(self._size - self._taken):
            return False
        self._taken = self._size
        return True

    def _release(self, ready: Ready) -> None:
        """Let everything go that waits for nothing."""
        while self._queue and not ready.stopped:
            held = self._queue[0]
            run = held.run
            if run is not None and not run.whole:
                return
            if run is not None and run.cleaned is not None:
                end = held.start + len(held.content) - len(run.head)
                content = run.head + run.cleaned[held.start : end]
            else:
                outcome = self._judged(held, ready)
                if outcome is None:
                    return
                ready.outcomes.append(outcome)
                if outcome.refusal is not None:
                    self._stop(ready)
                    return
                if run is not None:
                    run.cleaned = outcome.body
                    continue
                content = outcome.body
            self._queue.popleft()
            self._size -= _cost(held)
            ready.messages.append((content, held.is_text))

    def _judged(self, held: _Held, ready: Ready) -> Outcome | None:
        """What becomes of the first message, or its picture; None while a person is asked."""
        if self._asked:
            outcome, self._answer = self._answer, None
            self._asked = outcome is None
            return outcome
        body = held.content
        if held.run is not None:
            body = bytes(held.run.data)
            self._runs.remove(held.run)
        outcome = self._judge(body, held.is_text)
        if outcome.waits is None:
            return outcome
        self._asked, ready.asks = True, outcome
        return None

    def _stop(self, ready: Ready) -> None:
        ready.stopped = True
        self._queue.clear()
        self._size = 0


def _cost(held: _Held) -> int:
    return max(len(held.content), LEAST_COUNTED)


def _look(run: _Run) -> None:
    """Is the picture whole by now?"""
    if run.seen != len(run.data):
        run.seen = len(run.data)
        run.looked += run.seen
        run.whole = PICTURES.is_whole(memoryview(run.data))


def _head_of_cut_picture(content: bytes) -> bytes | None:
    """What stands before a picture that is cut off in this message; None when it holds none."""
    size = len(content)
    start: int | None = 0
    if not PICTURES.starts_image(content[:_FAR_ENOUGH], size):
        start = PICTURES.first_image(memoryview(content)[:_FAR_ENOUGH])
    if start is None or start > _LONGEST_HEAD:
        return None
    known = images.sniff(content[start : start + _FAR_ENOUGH])
    if known is None or not known.cleanable:
        return None
    found = bodies.survey(content, "", PICTURES)
    readable = all(examine(content, site).error is None for site in found.sites)
    return None if readable and not found.doubts else content[:start]
