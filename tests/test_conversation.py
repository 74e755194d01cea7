"""Pictures over several messages: held until they are whole, then let go as they came."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safelight import conversation, images
from safelight.case import Outcome
from safelight.conversation import LEAST_COUNTED, LONGEST_PAUSE, Conversation, Room
from safelight.examiner import PICTURES
from safelight.images import ImageError, Length
from safelight.refusals import Cause, Refusal
from tests.support import more_pictures as more
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.conversation import Ready

PHOTO = pictures.jpeg()
CLEAN = images.strip(PHOTO, Length.SAME_LENGTH)
MADE = (PHOTO, pictures.png(), pictures.webp(), pictures.gif(), more.heic())
REFUSED = Outcome(refusal=Refusal(Cause.UNREADABLE, "No.", "x"))
LARGEST = 1_000_000
HEADS = (b"\0\0\0\1", b"head")


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


class Client:
    """Sends to a conversation and keeps what it lets go."""

    def __init__(self, room: Room | None = None, largest: int = LARGEST) -> None:
        self.now = 0.0
        self.room = room or Room()
        self.conversation = Conversation(judge, largest, self.room, lambda: self.now)
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

    def _take(self, ready: Ready) -> None:
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
