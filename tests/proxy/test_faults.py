"""Whatever breaks inside: nothing private leaves, and the client gets an answer."""

from __future__ import annotations

import ssl
from http.client import HTTPSConnection
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support import lab as labs
from tests.support import pictures
from tests.support.large import large, put
from tests.support.sockets import open_socket

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.lab import Answered, Lab

JPEG = pictures.jpeg()
LARGE = large("JPEG")
VERSIONS = ["--http1.1", "--http2"]
UPLOAD = "https://api.openai.com/v1/files"
RAISING = """
import asyncio
import safelight.proxy.gate as g
from mitmproxy.exceptions import AddonHalt, OptionsError
def broken(self, flow):
    raise {error}
async def broken_later(self, flow):
    raise {error}
g.Gate.{hook} = broken if {at_once} else broken_later
"""
ERRORS = [
    "RuntimeError('CANARY')",
    "AddonHalt",
    "OptionsError('CANARY')",
    "asyncio.CancelledError",
    "SystemExit(3)",
]
FAULTS = {
    "the engine raises": (
        "import safelight.engine as e\n"
        "def broken(self, upload): raise RuntimeError('CANARY')\n"
        "e.Engine._process = broken\n",
        1,
    ),
    "the hook does nothing": (
        "import safelight.proxy.gate as g\n"
        "async def broken(self, flow): pass\n"
        "g.Gate.request = broken\n",
        0,
    ),
    "the hook never returns": (
        "import asyncio, safelight.proxy.gate as g, safelight.proxy.hooks as h\n"
        "h.LONGEST_HOOK = 1\n"
        "async def broken(self, flow): await asyncio.Event().wait()\n"
        "g.Gate.request = broken\n",
        0,
    ),
    "the hook kills the request": (
        "import safelight.proxy.gate as g\n"
        "async def broken(self, flow):\n"
        "    if flow.request.host == 'api.openai.com': flow.kill()\n"
        "g.Gate.request = broken\n",
        0,
    ),
    "the first hook kills the request": (
        "import safelight.proxy.gate as g\n"
        "def broken(self, flow):\n"
        "    if flow.request.host == 'api.openai.com': flow.kill()\n"
        "g.Gate.requestheaders = broken\n",
        0,
    ),
    "a hook streams the body": (
        "import safelight.proxy.gate as g\n"
        "def broken(self, flow): flow.request.stream = True\n"
        "g.Gate.requestheaders = broken\n",
        0,
    ),
    "a hook streams the body through a function": (
        "import safelight.proxy.gate as g\n"
        "def broken(self, flow): flow.request.stream = lambda piece: piece\n"
        "g.Gate.requestheaders = broken\n",
        0,
    ),
    "a hook answers and streams": (
        "import safelight.proxy.gate as g\n"
        "from mitmproxy.http import Response\n"
        "real = g.Gate.requestheaders\n"
        "def broken(self, flow):\n"
        "    if flow.request.host != 'api.openai.com': return real(self, flow)\n"
        "    flow.request.stream = True\n"
        "    flow.response = Response.make(403, b'Safelight did not send this')\n"
        "g.Gate.requestheaders = broken\n",
        0,
    ),
    "the body is changed after it was cleared": (
        "import safelight.proxy.clearance as c\n"
        "real = c.clear\n"
        "def broken(flow):\n"
        "    real(flow)\n"
        "    flow.request.raw_content = (flow.request.raw_content or b'') + b'CANARY'\n"
        "c.clear = broken\n",
        None,
    ),
    "the cleaner leaves something": (
        "import sys, safelight.images\n"
        "sys.modules['safelight.images.strip'].apply = lambda data, edits: data\n",
        1,
    ),
    "the cleaner breaks the picture": (
        "import safelight.images as i\ni.clean = lambda data, *_: data[:-9]\n",
        1,
    ),
}
for error in ERRORS:
    for hook in ("requestheaders", "request"):
        code = RAISING.format(error=error, hook=hook, at_once=hook == "requestheaders")
        FAULTS[f"{hook} raises {error}"] = (code, 0)


def send(lab: Lab, *arguments: str) -> Answered:
    photo = lab.folder / "photo"
    photo.write_bytes(JPEG)
    octets = "content-type: application/octet-stream"
    return lab.curl(*arguments, "-H", octets, "--data-binary", f"@{photo}", UPLOAD)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_upload_is_refused(tmp_path: Path, fault: str) -> None:
    code, records = FAULTS[fault]
    with labs.running(tmp_path, before=code) as lab:
        for version in VERSIONS:
            if "kills the request" in fault:
                with pytest.raises(ConnectionError):
                    send(lab, version)
                continue
            answer = send(lab, version)
            assert answer.status in {403, 503}
            assert "Safelight did not send this" in answer.body
        assert lab.arrived == []
        if records is not None:
            refusals = [record["verdict"] for record in lab.proxy.records()]
            assert refusals == ["block"] * 2 * records
        assert "CANARY" not in lab.proxy.output


FEED = """
from safelight.images import StreamCleaner
feed = StreamCleaner.feed
def broken(self, piece):
    clean = feed(self, piece)
    if self._fed < 3_000_000:
        return clean
    {then}
StreamCleaner.feed = broken
"""
LATER = """
def later():
    async def clean():
        return b"CANARY"
    return clean()
"""
FLOWING = {
    "the cleaner raises": FEED.format(then="raise KeyError('CANARY')"),
    "the cleaner returns nothing": FEED.format(then="return None"),
    "the cleaner returns less": FEED.format(then="return clean[1:]"),
    "the cleaner returns more": FEED.format(then="return clean + b'CANARY'"),
    "the cleaner returns a promise": LATER + FEED.format(then="return later()"),
    "the end of the record": (
        "from safelight.audit import AuditError\n"
        "from safelight.journal import Journal\n"
        "def broken(*_): raise AuditError('the disk is full')\n"
        "Journal.ended = broken\n"
    ),
    "the beginning of the record": (
        "from safelight.journal import Journal\n"
        "def broken(*_, **__): raise OSError('the disk is full')\n"
        "Journal.flowing = broken\n"
        "Journal.decided = broken\n"
    ),
}
FLOWING["upload_ends kills"] = (
    "import safelight.proxy.gate as g\n"
    "async def broken(self, flow): flow.kill()\n"
    "g.Gate.upload_ends = broken\n"
)
for error in ERRORS:
    code = RAISING.format(error=error, hook="upload_ends", at_once=False)
    FLOWING[f"upload_ends raises {error}"] = code


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("fault", FLOWING)
def test_nothing_whole_leaves_of_an_upload_that_flows(tmp_path: Path, fault: str) -> None:
    with labs.running(tmp_path, before=FLOWING[fault]) as lab:
        for version in VERSIONS:
            answer = put(lab, LARGE, version)
            assert answer.status >= 400
            assert "CANARY" not in answer.body + lab.proxy.output
        assert not lab.arrived


@pytest.mark.parametrize("error", ERRORS)
def test_another_addon_that_raises_hides_nothing(tmp_path: Path, error: str) -> None:
    """mitmproxy leaves out who is asked later."""
    code = RAISING.format(error=error, hook="requestheaders", at_once=True)
    code = code.replace("safelight.proxy.gate as g", "safelight.proxy.own_pages as g")
    with labs.running(tmp_path, before=code.replace("g.Gate", "g.OwnPages")) as lab:
        assert send(lab).status == 200
        assert not pictures.says_secrets(lab.arrived[0].body)
        assert "CANARY" not in lab.proxy.output


@pytest.mark.parametrize("error", ERRORS)
def test_an_upload_whose_beginning_nobody_judged_is_judged_as_a_whole(
    tmp_path: Path, error: str
) -> None:
    code = RAISING.format(error=error, hook="upload_begins", at_once=False)
    with labs.running(tmp_path, before=code) as lab:
        assert put(lab, LARGE).status == 200
        assert not pictures.says_secrets(lab.arrived[0].body[:100_000])
        assert "flowing" not in lab.proxy.records()[0]


MESSAGES = {
    f"raises {error}": RAISING.format(error=error, hook="websocket_message", at_once=False)
    for error in ERRORS
} | {
    "kills": (
        "import safelight.proxy.gate as g\n"
        "async def broken(self, flow): flow.kill()\n"
        "g.Gate.websocket_message = broken\n"
    ),
    "never returns": (
        "import asyncio, safelight.proxy.gate as g, safelight.proxy.hooks as h\n"
        "h.LONGEST_HOOK = 1\n"
        "async def broken(self, flow): await asyncio.Event().wait()\n"
        "g.Gate.websocket_message = broken\n"
    ),
}


@pytest.mark.parametrize("fault", MESSAGES)
def test_a_message_stays_here(tmp_path: Path, fault: str) -> None:
    with labs.running(tmp_path, before=MESSAGES[fault]) as lab:
        for _ in range(2):
            with open_socket(lab) as client:
                client.send(JPEG)
                with pytest.raises(ConnectionClosed):
                    client.recv(10)
        assert lab.origin.messages == []
        assert "CANARY" not in lab.proxy.output


@pytest.mark.parametrize("error", ERRORS)
def test_a_connection_that_nobody_chose_is_useless_for_other_hosts(
    tmp_path: Path, error: str
) -> None:
    """mitmproxy then opens it; the certificate that it shows is for AI services only."""
    code = RAISING.format(error=error, hook="tls_clienthello", at_once=False)
    with labs.running(tmp_path, before=code) as lab:
        with pytest.raises(ConnectionError, match="certificate"):
            lab.curl("https://www.example.org/")
        assert send(lab).status == 200
        assert not pictures.says_secrets(lab.arrived[0].body)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_connection_goes_on_after_a_refusal(lab: Lab, version: str) -> None:
    broken, photo = lab.folder / "broken", lab.folder / "photo"
    broken.write_bytes(JPEG[:700])
    photo.write_bytes(JPEG)
    octets = "content-type: application/octet-stream"
    requests: list[list[str | Path]] = [
        [version, "-H", octets, "--data-binary", f"@{path}", UPLOAD] for path in (broken, photo)
    ]
    assert lab.curl_in_turn(*requests) == ["403 1", "200 0"]


def test_the_connection_goes_on_after_an_upload_stopped_on_its_way(lab: Lab) -> None:
    photo = large("PNG")
    chunk = photo.index(b"IDAT", 5_000_000) - 4
    damaged = photo[:chunk] + b"\xff\xff\xff\xff" + photo[chunk + 4 :]
    context = ssl.create_default_context(cafile=str(lab.proxy.root))
    client = HTTPSConnection(*lab.proxy.address, timeout=20, context=context)
    client.set_tunnel("files.oaiusercontent.com")
    client.connect()
    only = client.sock
    for body, status in ((damaged, 403), (JPEG, 200)):
        client.request("PUT", "/file-1?sig=a", body)
        answer = client.getresponse()
        answer.read()
        assert (answer.status, client.sock) == (status, only)
    client.close()
