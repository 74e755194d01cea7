from __future__ import annotations

import asyncio
import itertools
import os
import socket
import stat
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from safelight import broker
from safelight.broker import Answer, Held
from safelight.broker.waiting import MOST_BYTES, MOST_WAITING, NO_HOLDS, YES_HOLDS, Waiting

if TYPE_CHECKING:
    from pathlib import Path


def held(number: int, content: str = "", size: int = 1) -> Held:
    digests = (content,) if content else ()
    return Held(id=f"d_{number}", service="ChatGPT", pictures=1, size=size, content=digests)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("approve", [True, False])
def test_an_answer_reaches_all_that_wait_with_the_same_picture(*, approve: bool) -> None:
    async def scenario() -> list[Answer]:
        waiting = Waiting()
        asked = [asyncio.ensure_future(waiting.wait(held(n, "same"), 5)) for n in range(2)]
        other = asyncio.ensure_future(waiting.wait(held(7, "other"), 0.05))
        await asyncio.sleep(0)
        assert [one.id for one, _ in waiting.every()] == ["d_0", "d_1", "d_7"]
        assert waiting.answer("d_0", approve=approve)
        assert not waiting.answer("d_5", approve=True)
        answers = [*await asyncio.gather(*asked), await other]
        assert waiting.every() == []
        return answers

    said = Answer.APPROVED if approve else Answer.DENIED
    assert asyncio.run(scenario()) == [said, said, Answer.TIMED_OUT]


def test_answers_are_remembered_for_a_while() -> None:
    async def scenario() -> None:
        clock = Clock()
        waiting = Waiting(clock)
        for approve, lasts in ((True, YES_HOLDS), (False, NO_HOLDS)):
            asked = asyncio.ensure_future(waiting.wait(held(1, "same")))
            await asyncio.sleep(0)
            waiting.answer("d_1", approve=approve)
            said = await asked
            clock.now += lasts - 1
            assert await waiting.wait(held(2, "same")) is said
            clock.now += 2
            assert await waiting.wait(held(3, "same"), 0.01) is Answer.TIMED_OUT

    asyncio.run(scenario())


@pytest.mark.parametrize("other", [{"client": "192.0.2.2"}, {"rules": ("another",)}])
def test_a_yes_is_for_one_person_and_the_rules_that_asked(other: dict[str, Any]) -> None:
    async def scenario() -> tuple[Answer, Answer]:
        waiting = Waiting()
        first = held(1, "same").model_copy(update={"client": "192.0.2.1", "rules": ("one",)})
        asked = asyncio.ensure_future(waiting.wait(first))
        await asyncio.sleep(0)
        waiting.answer("d_1", approve=True)
        await asked
        again = first.model_copy(update={"id": "d_2"})
        differs = again.model_copy(update=other)
        return await waiting.wait(again, 0.01), await waiting.wait(differs, 0.01)

    assert asyncio.run(scenario()) == (Answer.APPROVED, Answer.TIMED_OUT)


def test_what_cannot_be_told_apart_is_asked_again() -> None:
    async def scenario() -> Answer:
        waiting = Waiting()
        asked = asyncio.ensure_future(waiting.wait(held(1)))
        await asyncio.sleep(0)
        waiting.answer("d_1", approve=True)
        assert await asked is Answer.APPROVED
        return await waiting.wait(held(2), 0.01)

    assert asyncio.run(scenario()) is Answer.TIMED_OUT


def test_there_is_room_for_some_only() -> None:
    async def scenario() -> None:
        waiting = Waiting()
        assert await waiting.wait(held(0, size=MOST_BYTES + 1)) is Answer.FULL
        asked = [asyncio.ensure_future(waiting.wait(held(n))) for n in range(MOST_WAITING)]
        await asyncio.sleep(0)
        assert await waiting.wait(held(MOST_WAITING)) is Answer.FULL
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert waiting.every() == []

    asyncio.run(scenario())


def test_over_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    answers: list[Answer] = []
    events = []
    with pytest.raises(broker.NoBrokerError):
        broker.waiting(path)
    with broker.running(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        watching = broker.watch(path)
        watcher = threading.Thread(
            target=lambda: events.extend([next(watching), next(watching)]), daemon=True
        )
        watcher.start()
        time.sleep(0.2)
        worker = threading.Thread(
            target=lambda: answers.append(asyncio.run(broker.ask(path, held(1, "secret"))))
        )
        worker.start()
        while not (found := broker.waiting(path)):
            time.sleep(0.01)
        assert found[0][0] == held(1)
        assert abs(found[0][1] - time.time()) < 5
        assert broker.answer(path, "d_1", approve=True)
        worker.join()
        assert not broker.answer(path, "d_1", approve=True)
        teller = broker.Teller(path)
        teller.tell({"service": "ChatGPT"})
        teller.close()
        watcher.join(5)
        watching.close()
    assert answers == [Answer.APPROVED]
    assert events == [
        {"held": held(1).model_dump(exclude={"content", "workspace"}, mode="json")},
        {"service": "ChatGPT"},
    ]
    assert not path.exists()


def test_who_leaves_waits_no_more(tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def leave() -> None:
        async with asyncio.timeout(0.1):
            await broker.ask(path, held(1))

    with broker.running(path):
        with pytest.raises(TimeoutError):
            asyncio.run(leave())
        deadline = time.monotonic() + 5
        while broker.waiting(path):
            assert time.monotonic() < deadline


@pytest.mark.parametrize(
    "said", [b"nonsense\n", b"{}\n", b"[1]\n", b'{"do": "hold"}\n', b"x" * 1_099_999]
)
def test_nonsense_is_not_answered(tmp_path: Path, said: bytes) -> None:
    path = tmp_path / "socket"

    async def speak() -> bytes:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(said)
        writer.write_eof()
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    with broker.running(path):
        assert asyncio.run(speak()) == b""
        assert broker.waiting(path) == []


def test_what_cannot_wait_is_asked_about_for_later() -> None:
    async def scenario() -> None:
        clock = Clock()
        waiting = Waiting(clock)
        large = held(1, "large", size=MOST_BYTES * 2)
        assert waiting.ask(large) is Answer.ASKED
        await asyncio.sleep(0)
        assert waiting.ask(held(2, "large")) is Answer.ASKED
        assert [one.id for one, _ in waiting.every()] == ["d_1"]
        # It is not in memory, so it takes no room from others.
        other = asyncio.ensure_future(waiting.wait(held(3, size=MOST_BYTES), 0.01))
        assert await other is Answer.TIMED_OUT
        assert waiting.answer("d_1", approve=True)
        await asyncio.sleep(0)
        assert waiting.ask(held(4, "large")) is Answer.APPROVED
        clock.now += YES_HOLDS
        assert waiting.ask(held(5, "large"), 0.01) is Answer.ASKED
        await asyncio.sleep(0.05)
        assert waiting.every() == []

    asyncio.run(scenario())


def test_no_more_are_asked_about_than_can_wait() -> None:
    async def scenario() -> None:
        waiting = Waiting()
        for number in range(MOST_WAITING):
            assert waiting.ask(held(number, str(number))) is Answer.ASKED
            await asyncio.sleep(0)
        assert waiting.ask(held(MOST_WAITING, "another")) is Answer.FULL

    asyncio.run(scenario())


def test_watchers_hear_of_what_waits_alone(tmp_path: Path) -> None:
    path = tmp_path / "broker.socket"
    with broker.running(path):
        watching = broker.watch(path)
        events: list[str] = []
        watcher = threading.Thread(
            target=lambda: events.extend(
                event["held"]["id"] if "held" in event else "end"
                for event in itertools.islice(watching, 2)
            )
        )
        watcher.start()
        time.sleep(0.3)

        def ask(number: int) -> Answer:
            return asyncio.run(broker.ask_for_later(path, held(number, "same")))

        assert ask(1) is Answer.ASKED
        assert ask(2) is Answer.ASKED
        assert broker.answer(path, "d_1", approve=True)
        assert ask(3) is Answer.APPROVED
        assert asyncio.run(broker.ask(path, held(4, "same"))) is Answer.APPROVED
        teller = broker.Teller(path)
        teller.tell({"service": "ChatGPT"})
        teller.close()
        watcher.join(5)
        watching.close()
    assert events == ["d_1", "end"]


def test_watchers_hear_first_of_what_waits_already(tmp_path: Path) -> None:
    path = tmp_path / "broker.socket"
    with broker.running(path):
        assert asyncio.run(broker.ask_for_later(path, held(1, "secret"))) is Answer.ASKED
        watching = broker.watch(path)
        shown = held(1).model_dump(exclude={"content", "workspace"}, mode="json")
        assert next(watching) == {"held": shown}
        watching.close()


@pytest.mark.skipif(os.name == "nt", reason="has no such permissions")
def test_who_may_not_ask_is_told_so(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with broker.running(folder / "broker.socket"):
        user = os.geteuid()
        folder.chmod(0)
        try:
            if user == 0:
                os.seteuid(65_534)
            with pytest.raises(broker.NoBrokerError, match="Only who runs the proxy"):
                broker.waiting(folder / "broker.socket")
        finally:
            os.seteuid(user)
            folder.chmod(0o700)


def test_a_second_broker_leaves_the_first_alone(tmp_path: Path) -> None:
    path = tmp_path / "broker.socket"
    with broker.running(path):
        with pytest.raises(OSError, match="another proxy"), broker.running(path):
            pass
        assert broker.waiting(path) == []
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    with broker.running(path):
        assert broker.waiting(path) == []


def test_a_whole_archive_can_wait(tmp_path: Path) -> None:
    path = tmp_path / "broker.socket"
    digests = tuple(f"{number:064x}" for number in range(5_000))
    album = held(1).model_copy(update={"content": digests})
    with broker.running(path):
        assert asyncio.run(broker.ask_for_later(path, album)) is Answer.ASKED
        assert len(broker.waiting(path)) == 1
