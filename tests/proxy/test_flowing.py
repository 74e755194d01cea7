"""Large pictures are cleaned while they flow: what arrives, what is recorded, what is stopped."""

from __future__ import annotations

import itertools
import socket
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from safelight import images
from safelight.images import Length
from tests.load import stage, vitals
from tests.load.wire import Line
from tests.support import lab as labs
from tests.support import pictures
from tests.support.large import large, put
from tests.support.proxy import HOME_POLICY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.lab import Lab

PICTURES = {name: large(name) for name in ("JPEG", "PNG", "WEBP")}


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("format_", PICTURES)
def test_large_pictures_arrive_clean(lab: Lab, format_: str, version: str) -> None:
    photo = PICTURES[format_]
    before = len(lab.proxy.records())
    assert put(lab, photo, version).status == 200
    [received] = lab.arrived
    assert len(received.body) == len(photo)
    assert not pictures.says_secrets(received.body[:100_000] + received.body[-100_000:])
    assert pictures.same_pixels(photo, received.body)
    if format_ != "WEBP":
        assert received.body == images.strip(photo, Length.SAME_LENGTH)
    begun, ended = lab.new_records(before)
    assert (begun["kind"], begun["flowing"], begun["received"]) == ("decision", True, len(photo))
    assert begun["verdict"] == "allow"
    assert (ended["kind"], ended["of"], ended["how"]) == ("end", begun["id"], "whole")
    assert ended["sent"] == len(photo)
    assert "location" in ended["found"]


def test_a_damaged_one_is_stopped_on_its_way(lab: Lab) -> None:
    photo = PICTURES["PNG"]
    chunk = photo.index(b"IDAT", 5_000_000) - 4
    damaged = photo[:chunk] + b"\xff\xff\xff\xff" + photo[chunk + 4 :]
    before = len(lab.proxy.records())
    answer = put(lab, damaged)
    assert answer.status == 403
    assert "cut off" in answer.body
    assert all(len(received.body) < len(photo) for received in lab.arrived)
    assert not any(pictures.says_secrets(one.body[:100_000]) for one in lab.arrived)
    _, ended = lab.new_records(before)
    assert (ended["how"], ended["refusal"]) == ("stopped", "unreadable")
    assert put(lab, PICTURES["JPEG"]).status == 200


def test_a_client_that_leaves_is_recorded(lab: Lab) -> None:
    photo = PICTURES["JPEG"]
    before = len(lab.proxy.records())
    context = ssl.create_default_context(cafile=str(lab.proxy.root))
    with socket.create_connection(lab.proxy.address) as plain:
        plain.sendall(b"CONNECT files.oaiusercontent.com:443 HTTP/1.1\r\n\r\n")
        assert b"200" in plain.recv(4096)
        with context.wrap_socket(plain, server_hostname="files.oaiusercontent.com") as secure:
            head = "PUT /file-1?sig=a HTTP/1.1\r\nHost: files.oaiusercontent.com\r\n"
            secure.sendall(f"{head}Content-Length: {len(photo)}\r\n\r\n".encode())
            secure.sendall(photo[:2_000_000])
    deadline = time.monotonic() + 10
    while len(lab.new_records(before)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    _, ended = lab.new_records(before)
    assert ended["how"] == "broken-off"
    assert not lab.arrived


def test_what_depends_on_findings_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    rules = HOME_POLICY.read_text() + (
        "\n  - id: no-places\n    when: { metadata: [location] }\n    do: [block]\n"
        "    because: It says where you were.\n"
    )
    policy = tmp_path / "policy.yaml"
    policy.write_text(rules)
    with labs.running(tmp_path, policy) as lab:
        assert put(lab, PICTURES["JPEG"]).status == 403
        assert not lab.arrived
        [record] = lab.proxy.records()
        assert "flowing" not in record


def test_memory_does_not_grow_with_the_upload(tmp_path: Path) -> None:
    """A photo of 1 GB, of which there is never more here than a piece."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(HOME_POLICY.read_text().replace("50 MB", "2 GB"))
    photo = PICTURES["PNG"]
    first, last = photo.index(b"IDAT") - 4, photo.rindex(b"IEND") - 4
    rows = photo[first:last]
    times = 1_000_000_000 // len(rows) + 1
    length = len(photo) + (times - 1) * len(rows)
    pieces = itertools.chain([photo[:first]], itertools.repeat(rows, times), [photo[last:]])
    with stage.origin(tmp_path) as origin, stage.safelight(tmp_path, origin, policy) as proxy:
        assert proxy.process is not None
        before = vitals.of(proxy.process.pid)
        with Line(stage.cleaned(proxy)) as line:
            assert line.put("/photo", length, pieces) == (200, str(length).encode())
        assert vitals.of(proxy.process.pid).peak - before.resident < 40
        decided, ended = proxy.records()
        assert decided["flowing"]
        assert (ended["how"], ended["sent"]) == ("whole", length)
        assert "location" in ended["found"]


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("verdict", ["allow", "warn"])
def test_what_is_too_large_streams_if_the_policy_says_so(
    tmp_path: Path, verdict: str, declared: bool
) -> None:
    policy = tmp_path / "policy.yaml"
    rules = HOME_POLICY.read_text().replace("50 MB", "1 MB")
    policy.write_text(rules.replace("too-large: block", f"too-large: {verdict}"))
    film = b"\x1aE\xdf\xa3" + bytes(range(256)) * 10_000
    with labs.running(tmp_path, policy) as lab:
        chunked = () if declared else ("-H", "Transfer-Encoding: chunked")
        assert put(lab, film, *chunked).status == 200
        assert lab.arrived[0].body == film
        [record] = lab.proxy.records()
        assert (record["verdict"], record["doubts"]) == (verdict, ["too-large"])
        assert ("larger than 1 MB" in lab.proxy.output) is (verdict == "warn")
