"""Send a photo that tells too much through Safelight, and show what arrived.

A local TLS server plays api.openai.com. Exit code 1 if anything private arrived.
"""

from __future__ import annotations

import email
import email.policy
import http.client
import io
import json
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import trustme
from PIL import Image

from safelight import images
from tests.support import exiftool
from tests.support.origin import Origin, Received
from tests.support.proxy import Proxy

PHOTO = Path(__file__).parent / "samples" / "cat-at-home.jpg"
SERVICE = "api.openai.com"
SECRETS = (b"Anna", b"Phonemaker", b"F2LX93K1Q6", b"Paris", b"grandma", b"2026:05:04", b"GPS")


def main() -> int:
    before = PHOTO.read_bytes()
    title(f"The photo before ({PHOTO.name}, {len(before)} bytes)")
    shown = subprocess.run(
        [sys.executable, "-m", "safelight", "inspect", str(PHOTO)],
        capture_output=True,
        text=True,
        check=True,
    )
    print(shown.stdout)
    with tempfile.TemporaryDirectory() as name:
        received, record = send(Path(name), before)
    after, filename = picture_in(received)
    title(f"What arrived at {SERVICE} ({filename}, {len(after)} bytes)")
    problems = judge(before, after, filename)
    title("The audit record")
    print(json.dumps(record, indent=2))
    title("Verdict")
    for problem in problems:
        print(f"PRIVATE DATA ARRIVED: {problem}")
    if not problems:
        print("Nothing private arrived, and every pixel did.")
    return 1 if problems else 0


def send(folder: Path, photo: bytes) -> tuple[Received, object]:
    """Upload the photo as a browser does; what arrived, and the audit record."""
    authority = trustme.CA()
    root = folder / "origin-root.pem"
    authority.cert_pem.write_to_path(str(root))
    origin = Origin()
    origin.start(authority, [SERVICE], folder)
    host, port = origin.address
    arguments = ["--upstream-ca", str(root), "--resolve", f"{SERVICE}:443={host}:{port}"]
    proxy = Proxy(folder, arguments=arguments)
    try:
        proxy.start()
        upload(proxy, photo)
        return origin.received[0], proxy.records()[0]
    finally:
        proxy.kill()
        origin.stop()


def upload(proxy: Proxy, photo: bytes) -> None:
    boundary = "demo-boundary"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; '
        f'filename="Anna and Mimi in Paris.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    body = head.encode() + photo + f"\r\n--{boundary}--\r\n".encode()
    context = ssl.create_default_context(cafile=str(proxy.root))
    connection = http.client.HTTPSConnection(*proxy.address, context=context, timeout=30)
    connection.set_tunnel(SERVICE, 443)
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    connection.request("POST", "/v1/images/edits", body, kind)
    answer = connection.getresponse()
    print(f"The service answered {answer.status}; Safelight said:\n{proxy.output}")
    connection.close()


def picture_in(received: Received) -> tuple[bytes, str]:
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + received.body, policy=email.policy.HTTP)
    [part] = [part for part in message.walk() if part.get_filename()]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content, str(part.get_filename())


def judge(before: bytes, after: bytes, filename: str) -> list[str]:
    """Everything private that ExifTool, Pillow and a search for the secrets find."""
    problems = [f"{secret!r} in the picture" for secret in SECRETS if secret in after]
    problems += [f"{secret!r} in its name" for secret in SECRETS if secret.decode() in filename]
    command = exiftool.find()
    if command is None:
        print("ExifTool is not installed (make test-deps), so it could not be asked.")
    else:
        [report] = exiftool.read({"arrived.jpg": after}, command).values()
        told = {k: v for k, v in report.items() if not k.startswith(("System:", "ExifTool:"))}
        print("ExifTool:", json.dumps(told, indent=2))
        problems += [f"ExifTool sees {tag}" for tag in sorted(exiftool.left_over(report))]
    image = Image.open(io.BytesIO(after))
    print(f"Pillow: {image.format} {image.size}, Exif {dict(image.getexif())}, {image.info}")
    problems += [f"Pillow sees Exif tag {tag}" for tag in image.getexif() if tag != 0x0112]
    problems += [str(finding) for finding in images.examine(after).findings]
    if image.tobytes() != Image.open(io.BytesIO(before)).tobytes():
        problems.append("nothing, but the pixels changed")
    return problems


def title(text: str) -> None:
    print(f"\n== {text} ==", flush=True)


if __name__ == "__main__":
    sys.exit(main())
