"""Uploads of 3 MB with secrets, each another one, and what must arrive of them."""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from safelight import assembly, paths
from safelight.case import Upload
from tests.support import pictures

PATH = "/v1/images/edits"
_BOUNDARY = "safelight-load"
CONTENT_TYPE = f"multipart/form-data; boundary={_BOUNDARY}"
_WIDTH = 1765  # pixels; noise of this size makes 3 MB


@dataclass(frozen=True, slots=True)
class Prepared:
    """A form with a picture, and the SHA-256 in hex of the clean form."""

    body: bytes
    digest: str


def photograph() -> bytes:
    """A JPEG of about 3 MB that says where, when and by whom it was taken."""
    noise = np.random.default_rng(5).integers(0, 256, (_WIDTH * 3 // 4, _WIDTH, 3), dtype=np.uint8)
    output = io.BytesIO()
    Image.fromarray(noise).save(
        output, "JPEG", quality=96, exif=pictures.exif(), comment=b"CANARY comment"
    )
    return output.getvalue()


def form(photo: bytes, number: int) -> bytes:
    """What a page or an SDK sends to have a picture edited."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nnumber {number}\r\n'
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; '
        'filename="CANARY.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    return head.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()


def prepared(count: int) -> list[Prepared]:
    """As many different uploads; the engine, asked without a proxy, says what must arrive."""
    photo = photograph()
    with tempfile.TemporaryDirectory() as folder:
        assembled = assembly.assemble(
            [paths.default_policy()], Path(folder, "audit"), Path(folder, "keys")
        )
        destination = assembled.catalogue.find("api.openai.com", 443, "POST", PATH)
        assert destination is not None
        made = []
        for number in range(count):
            body = form(photo, number)
            upload = Upload(destination, PATH, {"content-type": CONTENT_TYPE}, body)
            clean = assembled.engine.process(upload).body
            assert pictures.CANARY in body
            assert clean
            assert pictures.CANARY not in clean
            made.append(Prepared(body, hashlib.sha256(clean).hexdigest()))
    return made
