"""A proxy that wants to know who it is."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support import pictures
from tests.test_users import line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab

POLICY = """
version: 1
name: test
people:
  kids: ["user:bert"]
rules:
  - {id: clean, do: strip-metadata, because: always}
  - {id: kids, when: {people: kids}, do: block, because: not for kids}
"""
URL = "https://api.openai.com/v1/files"


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("users")
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "users").write_text(line("anna", "se:cret") + line("bert", "x"))
    options = ("--users", str(folder / "users"))
    with labs.running(folder, folder / "policy.yaml", options=options) as lab:
        yield lab


def photo(lab: Lab) -> Path:
    path = lab.folder / "a.jpg"
    path.write_bytes(pictures.jpeg())
    return path


def test_who_logs_in_may_send(asking: Lab) -> None:
    before = len(asking.proxy.records())
    sent = ("--data-binary", f"@{photo(asking)}", URL)
    assert asking.curl("--proxy-user", "anna:se:cret", *sent).status == 200
    assert not pictures.says_secrets(asking.arrived[-1].body)
    assert asking.curl("--proxy-user", "anna:se:cret", "--http2", *sent).status == 200
    arrived = len(asking.arrived)
    assert asking.curl("--proxy-user", "bert:x", *sent).status == 403
    assert len(asking.arrived) == arrived
    records = asking.new_records(before)
    assert [record.get("people", []) for record in records] == [[], [], ["kids"]]
    assert records[0]["client"] == records[1]["client"] != records[2]["client"]


@pytest.mark.parametrize("user", [None, "anna:wrong", "nobody:x", "anna:", ":", "anna"])
def test_others_may_not(asking: Lab, user: str | None) -> None:
    arrived = len(asking.arrived)
    who = ("--proxy-user", user) if user else ()
    for url in (URL, "https://www.example.org/", "http://www.example.org/"):
        if url.startswith("https"):
            # curl says so of a tunnel that is refused.
            with pytest.raises(ConnectionError, match="response 407"):
                asking.curl(*who, "--data-binary", f"@{photo(asking)}", url)
        else:
            assert asking.curl(*who, "--data-binary", f"@{photo(asking)}", url).status == 407
    assert len(asking.arrived) == arrived


def test_names_and_passwords_stay_here(asking: Lab) -> None:
    asking.curl("--proxy-user", "anna:se:cret", "--data-binary", f"@{photo(asking)}", URL)
    assert not any("proxy-authorization" in one.headers for one in asking.arrived)
    written = [path.read_bytes() for path in asking.proxy.audit_folder.rglob("*") if path.is_file()]
    for text in (*written, asking.proxy.output.encode()):
        assert b"anna" not in text
        assert b"se:cret" not in text


def test_the_page_for_people_is_for_everybody(asking: Lab) -> None:
    host, port = asking.proxy.address
    assert asking.curl("--noproxy", "*", f"http://{host}:{port}/proxy.pac").status == 200


def test_a_right_password_is_remembered_and_a_wrong_one_takes_long(asking: Lab) -> None:
    begun = time.monotonic()
    with pytest.raises(ConnectionError, match="response 407"):
        asking.curl("--proxy-user", "anna:guess", URL)
    assert time.monotonic() - begun >= 1


def test_a_file_with_a_mistake_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("anna:plain\n")
    options = ("--users", str(tmp_path / "users"))
    with (
        pytest.raises(AssertionError, match="users:1: this is no user"),
        labs.running(tmp_path, options=options),
    ):
        pass


def test_who_guesses_keeps_nobody_else_waiting(asking: Lab) -> None:
    with contextlib.ExitStack() as open_:
        guesses = [
            open_.enter_context(logging_in(asking, "127.0.0.1", f"nobody:{number}"))
            for number in range(100)
        ]
        with logging_in(asking, "127.0.0.2", "bert:x") as other:
            assert other.recv(100).startswith(b"HTTP/1.1 200")
        answered, _, _ = select.select(guesses, [], [], 0)
        assert len(answered) < 50


def logging_in(lab: Lab, client: str, who: str) -> socket.socket:
    """A connection on which a tunnel was asked for."""
    connection = socket.create_connection(lab.proxy.address, 30, (client, 0))
    credentials = base64.b64encode(who.encode()).decode()
    connection.sendall(
        b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n"
        + f"Proxy-Authorization: Basic {credentials}\r\n\r\n".encode()
    )
    return connection
