"""A photo with a made-up place in it, sent the way that photos go, to a stand-in for a service.

The proxy that runs is busy with real services and must not be told to go elsewhere. So another
one, of the same program and with the same policy, is started for a moment, and the stand-in is
behind that.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import ssl
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import piexif
from PIL import Image

from safelight import images
from safelight.cli import words
from safelight.cli.doctor.check import Check, Looked, note, ok, wrong
from safelight.trust import ROOT_FILE, standin

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = "api.openai.com"
_PLACE = {
    piexif.GPSIFD.GPSLatitudeRef: b"N",
    piexif.GPSIFD.GPSLatitude: ((48, 1), (51, 1), (30, 1)),
    piexif.GPSIFD.GPSLongitudeRef: b"E",
    piexif.GPSIFD.GPSLongitude: ((2, 1), (17, 1), (40, 1)),
}
_LONGEST = 60  # seconds
_BOUNDARY = "safelight-doctor"


class _Unable(Exception):  # noqa: N818 - it is no error of the program
    """The photo could not be sent; the text says why."""


def check(looked: Looked) -> Check:
    """Send it; say what arrived."""
    try:
        status, arrived = _sent(looked)
    except (_Unable, OSError, http.client.HTTPException, subprocess.SubprocessError) as error:
        says = f"A photo could not be sent through a proxy with this policy: {error}"
        return wrong("canary photo", says, looked.run())
    if not arrived:
        says = f"Your policy stops photos to {SERVICE} (answer {status}): nothing arrived there."
        return note("canary photo", says)
    start = max(arrived.find(b"\xff\xd8\xff"), 0)
    end = arrived.find(f"\r\n--{_BOUNDARY}".encode(), start)
    try:
        found = images.examine(arrived[start:end]).findings
    except images.ImageError as error:
        return wrong("canary photo", f"What arrived is damaged: {error}", "Please report this.")
    if found:
        says = f"It arrived with its {', '.join(sorted({one.kind for one in found}))}."
        return wrong("canary photo", says, f"{words.program()} policy explain: no rule cleaned it")
    return ok(
        "canary photo",
        "With a place in it, it went through a proxy with this policy, and arrived without.",
    )


def _photo() -> bytes:
    written = io.BytesIO()
    place = piexif.dump({"0th": {piexif.ImageIFD.Make: b"Phonemaker"}, "GPS": _PLACE})
    Image.linear_gradient("L").save(written, "JPEG", exif=place)
    return written.getvalue()


def _sent(looked: Looked) -> tuple[int, bytes]:
    """The answer's status, and what arrived."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = standin.authority(SERVICE)
        (folder / "roots.pem").write_bytes(authority)
        with _standing_in(folder, authority) as service, _proxy(folder, looked, service) as proxy:
            context = ssl.create_default_context(cafile=str(folder / "state" / ROOT_FILE))
            host, port = proxy
            connection = http.client.HTTPSConnection(host, port, context=context, timeout=_LONGEST)
            connection.set_tunnel(SERVICE, 443)
            head = (
                f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; '
                'filename="doctor.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
            )
            body = head.encode() + _photo() + f"\r\n--{_BOUNDARY}--\r\n".encode()
            kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
            with contextlib.closing(connection):
                connection.request("POST", "/v1/images/edits", body, kind)
                status = connection.getresponse().status
            return status, service.arrived


class _Service(HTTPServer):
    arrived = b""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take what comes."""
        assert isinstance(self.server, _Service)  # noqa: S101 - for the type
        self.server.arrived = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
        """Say nothing."""


@contextlib.contextmanager
def _standing_in(folder: Path, certificate: bytes) -> Iterator[_Service]:
    """A service on this machine."""
    (folder / "service.pem").write_bytes(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "service.pem")
    server = _Service(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def _proxy(folder: Path, looked: Looked, service: _Service) -> Iterator[tuple[str, int]]:
    """A proxy before it."""
    policies = [text for path in looked.policies for text in ("--policy", str(path))]
    port = service.server_address[1]
    command = [
        *(sys.executable, "-m", "safelight", "run", "--listen", "127.0.0.1:0", *policies),
        *("--audit", str(folder / "audit"), "--state", str(folder / "state")),
        *("--upstream-ca", str(folder / "roots.pem")),
        *("--resolve", f"{SERVICE}:443=127.0.0.1:{port}"),
    ]
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    too_long = threading.Timer(_LONGEST, process.kill)
    too_long.start()
    try:
        assert process.stdout is not None  # noqa: S101 - for the type
        said = process.stdout.readline()
        if not said.startswith("ready "):
            raise _Unable("it does not start.")
        host, _, number = said.split()[1].rpartition(":")
        yield host, int(number)
    finally:
        too_long.cancel()
        process.terminate()
        process.wait(_LONGEST)
        if process.stdout is not None:
            process.stdout.close()
