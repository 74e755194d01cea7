"""Part of `make bench`: what looking costs when there is no picture, beside what a proxy does to
every body anyway (receiving it in pieces and joining them)."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path

from safelight import assembly, paths
from safelight.case import Upload
from tests.bench import clock

_PIECE = 65_536
_SENTENCE = "The safelight lets you work with a photo without exposing it. "


def main() -> None:
    """Print one row for each kind of request."""
    with tempfile.TemporaryDirectory() as folder:
        assembled = assembly.assemble(
            [paths.default_policy()], Path(folder, "audit"), Path(folder, "keys")
        )
        destination = assembled.catalogue.find(
            "api.openai.com", 443, "POST", "/v1/chat/completions"
        )
        assert destination is not None
        print("\n| request without a picture | size | join its pieces | look for pictures |")
        print("|---|---|---|---|")
        for name, body in _bodies().items():
            headers = {"content-type": "application/json"}
            upload = Upload(destination, "/v1/chat/completions", headers, body)
            pieces = [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)]
            times = clock.medians(
                {
                    "join": partial(_joined, pieces),
                    "look": partial(assembled.engine.process, upload),
                },
                rounds=20,
            )
            print(
                f"| {name} | {len(body) / 1e6:.2f} MB | {clock.shown(times['join'])} "
                f"| {clock.shown(times['look'])} |",
                flush=True,
            )


def _bodies() -> dict[str, bytes]:
    def chat(times: int) -> bytes:
        message = {"role": "user", "content": _SENTENCE * times}
        return json.dumps({"model": "m", "messages": [message]}).encode()

    numbers = json.dumps({"embedding": [number / 7919 for number in range(500_000)]}).encode()
    return {"short chat": chat(5), "long chat": chat(165_000), "numbers": numbers}


def _joined(pieces: list[bytes]) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
    return bytes(body)


if __name__ == "__main__":
    main()
