"""What is tried on the machine that test_machine.py starts. Runs there as root, and writes what it
saw into a file; the test judges it."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SERVICE, UNIT = "api.openai.com", "safelight"
ROOT = Path("/var/lib/safelight/state/safelight-ca.pem")
ARRIVED: list[bytes] = []


class Service(BaseHTTPRequestHandler):
    """Plays an AI service; to `/slow` it takes its time."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take an upload."""
        ARRIVED.append(self.rfile.read(int(self.headers["content-length"])))
        if self.headers.get("x-slow"):
            time.sleep(2)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
        """Say nothing."""


def run(command: str) -> str:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def monitor(path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", 9180, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def wait(path: str, status: int = 200) -> None:
    for _ in range(300):
        if monitor(path) == status:
            return
        time.sleep(0.1)
    raise TimeoutError(path + run(f"journalctl -b -n 50 --no-pager -u {UNIT}"))


def upload(slow: str = "") -> int:
    """The answer's status; 0 where there is none."""
    try:
        context = ssl.create_default_context(cafile=str(ROOT))
        connection = http.client.HTTPSConnection("127.0.0.1", 8080, context=context, timeout=20)
        connection.set_tunnel(SERVICE, 443)
        headers = {"x-slow": slow} if slow else {}
        connection.request("POST", "/v1/files", (HERE / "photo.jpg").read_bytes(), headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0


def main_process() -> int:
    return int(run(f"systemctl show -P MainPID {UNIT}"))


def locked_down() -> dict[str, str]:
    """What the process may do."""
    lines = Path(f"/proc/{main_process()}/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return {key: fields[key] for key in ("CapEff", "NoNewPrivs", "Seccomp", "Uid")}


def handshake() -> int:
    """What the container's health check says."""
    return subprocess.run(
        [sys.executable, HERE / "healthcheck.py", str(ROOT)], capture_output=True, check=False
    ).returncode


def tried() -> dict[str, Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 8443), Service)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "service.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    run(f"systemctl start {UNIT}")
    wait("/readyz")
    found: dict[str, Any] = {"upload": upload(), "handshake": handshake()}
    (HERE / "arrived").write_bytes(b"".join(ARRIVED))
    found["locked_down"] = locked_down()
    found["state"] = oct(Path("/var/lib/private/safelight").stat().st_mode & 0o777)

    os.kill(main_process(), 9)
    wait("/readyz", 0)
    wait("/readyz")
    found["restarts"] = run(f"systemctl show -P NRestarts {UNIT}").strip()
    found["upload after a restart"] = upload()

    answers: list[int] = []
    sending = threading.Thread(target=lambda: answers.append(upload("yes")))
    before = len(ARRIVED)
    sending.start()
    while len(ARRIVED) == before and sending.is_alive():
        time.sleep(0.05)
    run(f"systemctl stop {UNIT}")
    sending.join()
    found["upload while it stopped"] = answers
    found["result"] = run(f"systemctl show -P Result {UNIT}").strip()

    drop_in = Path(f"/etc/systemd/system/{UNIT}.service.d/wx.conf")
    drop_in.write_text("[Service]\nMemoryDenyWriteExecute=yes\n")
    run("systemctl daemon-reload")
    run(f"systemctl start {UNIT}")
    for _ in range(300):
        told = run(f"journalctl -b -n 20 --no-pager -u {UNIT}")
        if "MemoryDenyWriteExecute=no" in told:
            break
        time.sleep(0.1)
    found["denied"] = {"log": told, "ready": monitor("/readyz"), "handshake": handshake()}
    run(f"systemctl stop {UNIT}")
    found["laptop"] = laptop()
    return found


def laptop() -> dict[str, Any]:
    """Somebody logs in, sets it up, and takes it back."""
    run("useradd -m anna")
    number = run("id -u anna").strip()
    run("loginctl enable-linger anna")
    run(f"systemctl start user@{number}")
    bus = f"XDG_RUNTIME_DIR=/run/user/{number}"
    as_anna = f"runuser -u anna -- env HOME=/home/anna {bus}"
    safelight = f"{as_anna} /opt/safelight/bin/safelight"
    found: dict[str, Any] = {"setup": run(f"{safelight} setup --yes")}
    listens = False
    for _ in range(100):
        try:
            http.client.HTTPConnection("127.0.0.1", 8080, timeout=2).connect()
        except OSError:
            time.sleep(0.1)
        else:
            listens = True
            break
    active = f"{as_anna} systemctl --user is-active {UNIT}"
    found |= {"listens": listens, "active": run(active).strip()}
    # As if logged out and in again.
    run(f"systemctl restart user@{number}")
    time.sleep(2)
    found["active after a new login"] = run(active).strip()
    found["doctor"] = run(f"{safelight} doctor")
    found["undo"] = run(f"{safelight} setup --undo --yes")
    found["active after undo"] = run(active).strip()
    found["left"] = run("find /home/anna -newer /home/anna/.bashrc -type f")
    return found


if __name__ == "__main__":
    try:
        result = tried()
    except BaseException:  # noqa: BLE001 - the test tells it
        result = {"error": traceback.format_exc()}
    (HERE / "result.json").write_text(json.dumps(result))
