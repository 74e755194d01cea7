"""Pictures over several messages: held until they are whole, then let go as they came."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safelight import conversation, images
from safelight.case import Outcome, Waits
from safelight.conversation import LEAST_COUNTED, LONGEST_PAUSE, Conversation, Room
from safelight.examiner import PICTURES
from safelight.images import ImageError, Length
from safelight.policy import Decision
from safelight.refusals import Cause, Refusal
from tests.support import more_pictures as more
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from safelight.conversation import Ready
    from safelight.journal import Journal

PHOTO = pictures.jpeg()
CLEAN = images.strip(PHOTO, Length.SAME_LENGTH)
MADE = (PHOTO, pictures.png(), pictures.webp(), pictures.gif(), more.heic())
REFUSED = Outcome(refusal=Refusal(Cause.UNREADABLE, "No.", "x"))
LARGEST = 1_000_000
HEADS = (b"\0\0\0\1", b"head")
NO_JOURNAL = cast("Journal", None)  # nothing is recorded before an answer comes


def judge(content: bytes, is_text: bool) -> Outcome:
    """Clean what is a whole picture, refuse what is the beginning of one, pass the rest."""
    start = 4 if content.startswith(HEADS) else 0
    if is_text or images.sniff(content[start:]) is None:
        return Outcome(content)
    try:
        return Outcome(images.strip(content, Length.SAME_LENGTH), pictures=1)
    except ImageError:
        return REFUSED


def cut(data: bytes, places: Sequence[int], head: bytes = b"") -> list[bytes]:
    """Cut `data`, but not within its first bytes, by which it is recognised."""
    edges = [0, *sorted({place % len(data) for place in places} - set(range(32))), len(data)]
    return [head + data[start:end] for start, end in itertools.pairwise(edges)]


def asking(content: bytes, is_text: bool) -> Outcome:
    """As `judge`, but a person is asked about each picture."""
    outcome = judge(content, is_text)
    if not outcome.pictures:
        return outcome
    waits = Waits("d_1", Decision(), 1, len(content), frozenset(), (), outcome, NO_JOURNAL)
    return replace(REFUSED, waits=waits)


class Client:
    """Sends to a conversation and keeps what it lets go."""

    def __init__(
        self,
        room: Room | None = None,
        largest: int = LARGEST,
        judge: Callable[[bytes, bool], Outcome] = judge,
    ) -> None:
        self.now = 0.0
        self.room = room or Room()
        self.conversation = Conversation(judge, largest, self.room, lambda: self.now)
        self.asks: list[Outcome] = []
        self.unanswered: list[Outcome] = []
        self.left: list[bytes | str] = []
        self.judged = 0
        self.stopped = False

    def send(self, *messages: bytes | str) -> None:
        for message in messages:
            if self.stopped:
                return  # the connection is closed
            content = message.encode() if isinstance(message, str) else message
            self._take(self.conversation.add(content, is_text=isinstance(message, str)))

    def wait(self, seconds: float = 1) -> None:
        self.now += seconds
        self._take(self.conversation.look())

    def approve(self) -> None:
        waits = self.unanswered.pop(0).waits
        assert waits is not None
        self.conversation.answered(waits.then)
        self.wait()

    def _take(self, ready: Ready) -> None:
        asked = [ready.asks] if ready.asks else []
        self.asks += asked
        self.unanswered += asked
        self.left += [one.decode() if is_text else one for one, is_text in ready.messages]
        self.judged += len(ready.outcomes)
        self.stopped = self.stopped or ready.stopped
        assert ready.waiting == self.conversation.waiting


@given(
    st.sampled_from(MADE),
    st.lists(st.integers(50, 1 << 20), max_size=30),
    st.sampled_from([b"", *HEADS]),
)
def test_any_cut_gives_the_same_bytes(photo: bytes, places: list[int], head: bytes) -> None:
    messages = cut(photo, [50, *places], head)
    assume(not any(seems_another(message[len(head) :]) for message in messages[1:]))
    cleaned = images.strip(photo, Length.SAME_LENGTH)
    client = Client()
    for number, message in enumerate(messages):
        assert client.left == []
        client.send(message)
        if number + 1 < len(messages):
            assert client.conversation.waiting
    client.wait()
    assert not client.stopped
    assert [len(message) for message in client.left] == [len(message) for message in messages]
    assert all(isinstance(one, bytes) and one.startswith(head) for one in client.left)
    assert b"".join(one[len(head) :] for one in client.left if isinstance(one, bytes)) == cleaned
    assert client.judged == 1


def seems_another(part: bytes) -> bool:
    return PICTURES.starts_image(part, len(part))


@pytest.mark.parametrize("head", [b"", *HEADS])
def test_a_cut_right_before_the_thumbnail_is_stopped(head: bytes) -> None:
    client = Client()
    client.send(*cut(PHOTO, [50, PHOTO.index(b"\xff\xd8", 2)], head))
    client.wait(LONGEST_PAUSE + 1)
    assert client.stopped
    assert client.left == []


def test_a_shorter_message_is_taken_for_the_last() -> None:
    client = Client()
    client.send(*cut(PHOTO, range(0, len(PHOTO), 1_000)))
    assert b"".join(one for one in client.left if isinstance(one, bytes)) == CLEAN


def test_text_behind_a_picture_says_that_it_ended_and_stays_behind_it() -> None:
    half = len(PHOTO) // 2
    client = Client()
    client.send("start", PHOTO[:half], "between")
    assert client.left == ["start"]
    client.send(PHOTO[half:], "finish")
    assert client.left == ["start", CLEAN[:half], "between", CLEAN[half:], "finish"]


def test_pictures_on_two_streams() -> None:
    one, two = (cut(PHOTO, [500, 5_000], head) for head in (b"\0\0\0\1", b"\0\0\0\2"))
    client = Client()
    client.send(*itertools.chain(*zip(one, two, strict=True)))
    client.wait()
    assert client.left[::2] == cut(CLEAN, [500, 5_000], b"\0\0\0\1")
    assert client.left[1::2] == cut(CLEAN, [500, 5_000], b"\0\0\0\2")


def test_two_pictures_that_cannot_be_told_apart_are_stopped() -> None:
    client = Client()
    client.send(PHOTO[:500], PHOTO[:500], PHOTO[500:])
    assert client.stopped
    assert client.left == []


def test_what_does_not_belong_to_the_picture_keeps_it_from_being_whole() -> None:
    photo = pictures.png()
    client = Client()
    client.send(photo[:500], b"something else", photo[500:])
    client.wait(LONGEST_PAUSE + 1)
    assert client.stopped
    assert client.left == []


def test_a_picture_that_is_never_whole_is_judged_as_it_came() -> None:
    client = Client()
    client.send(PHOTO[:500], PHOTO[500:900], "finish")
    client.wait(LONGEST_PAUSE - 1)
    assert not client.stopped
    client.wait(2)
    assert client.stopped
    assert client.left == []


def test_more_than_the_largest_upload_is_not_held() -> None:
    client = Client(largest=len(PHOTO) // 2)
    client.send(*cut(PHOTO, range(0, len(PHOTO), 1_000)))
    assert client.stopped
    assert client.left == []


def test_small_messages_count_as_well() -> None:
    client = Client(largest=10 * LEAST_COUNTED)
    client.send(PHOTO[:500], *["x"] * 9)
    assert not client.stopped
    client.send("x")
    assert client.stopped


def test_connections_share_what_may_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MOST_HELD", 3 * LEAST_COUNTED)
    room = Room()

    def three_more() -> list[Client]:
        clients = [Client(room) for _ in range(4)]
        for client in clients:
            client.send(PHOTO[:500])
        assert [client.stopped for client in clients] == [False, False, False, True]
        return clients

    lost, too_large, given_up, _ = three_more()
    lost.conversation.close()
    too_large.send(PHOTO[500:-100])
    given_up.wait(LONGEST_PAUSE + 1)
    assert (too_large.stopped, given_up.stopped) == (True, True)
    three_more()


def test_many_small_messages_are_not_looked_at_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []
    examine = images.examine

    def counting(data: bytes, keep: frozenset[images.Keep] = frozenset()) -> images.Examination:
        looks.append(len(data))
        return examine(data, keep)

    monkeypatch.setattr(images, "examine", counting)
    client = Client()
    pieces = [PHOTO[start : start + 11] for start in range(500, len(PHOTO), 11)]
    client.send(PHOTO[:500], *pieces)
    client.wait()
    assert b"".join(one for one in client.left if isinstance(one, bytes)) == CLEAN
    assert sum(looks) < 25 * len(PHOTO)


def test_what_a_person_is_asked_about_waits_and_all_behind_it() -> None:
    client = Client(judge=asking)
    half = len(PHOTO) // 2
    client.send("before", PHOTO[:half], PHOTO[half:], "behind")
    assert client.left == ["before"]
    [first] = client.asks
    client.wait(2 * LONGEST_PAUSE)
    client.send(PHOTO, PHOTO[:half])
    assert client.left == ["before"]
    assert client.asks == [first]
    assert first.waits is not None
    client.conversation.answered(first.waits.then)
    client.wait()
    assert client.left == ["before", CLEAN[:half], CLEAN[half:], "behind"]
    # It is the next one's turn to be asked about.
    assert len(client.asks) == 2
    client.conversation.answered(REFUSED)
    client.wait()
    assert client.stopped
    assert len(client.left) == 4
    assert client.room.change(conversation.MOST_HELD)


def test_no_more_waits_behind_it_than_can_be_held() -> None:
    client = Client(judge=asking)
    client.send(PHOTO, b"\0" * (LARGEST - len(PHOTO)))
    assert client.conversation.waiting
    client.send("a")
    assert client.stopped
    assert not client.conversation.waiting
    assert client.left == []
    assert client.room.change(conversation.MOST_HELD)


@given(st.lists(st.sampled_from([PHOTO, b"\1\2", "text"]), max_size=8), st.data())
def test_order_stays_whenever_answers_come(
    messages: list[bytes | str], data: st.DataObject
) -> None:
    client = Client(judge=asking)
    for message in messages:
        client.send(message)
        while client.unanswered:
            if data.draw(st.booleans()):
                break
            client.approve()
    while client.unanswered:
        client.approve()
    assert client.left == [CLEAN if one == PHOTO else one for one in messages]
