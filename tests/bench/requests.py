"""Part of `make bench`: what looking costs when there is no picture, as a part of what such a
request takes through the proxy besides.
"""

from __future__ import annotations

import base64
import json
import random
import sysconfig
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

from safelight import assembly, paths
from safelight.case import Upload
from tests.bench import clock
from tests.load import stage
from tests.load.wire import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.proxy import Proxy

_PATH = "/v1/chat/completions"
_SIZE = 10_000_000
_TRIES, _ROUNDS, _MOST_ROUNDS = 5, 3, 50
_SENTENCE = "The safelight lets you work with a photo without exposing it. "
_RUSSIAN = "Анна спросила 12 мая, не мог бы снимок быть чуть синее, и я сказал: да.\n"
_CHINESE = "安娜问这张照片能不能再蓝一点。我在5月12日说可以。\n"
_TYPE = "Content-Type: application/json\r\n"


def main() -> None:
    """Print one row for each kind of request."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        assembled = assembly.assemble([paths.default_policy()], folder / "audit", folder / "keys")
        destination = assembled.catalogue.find(stage.AI_HOST, 443, "POST", _PATH)
        assert destination is not None
        origin = stack.enter_context(stage.origin(folder))
        proxy = stack.enter_context(stage.safelight(folder, origin))
        line = stack.enter_context(Line(stage.cleaned(proxy)))
        print("\n| request without a picture | size | passes for | look for pictures | adds |")
        print("|---|---|---|---|---|")
        for kind, body in _bodies().items():
            upload = Upload(destination, _PATH, {"content-type": "application/json"}, body)
            rounds = _MOST_ROUNDS if len(body) < _SIZE // 10 else _ROUNDS
            passes = _used(_clock_of(proxy), rounds, partial(_pass, line, body))
            look = _used(
                time.CLOCK_PROCESS_CPUTIME_ID, rounds, partial(assembled.engine.process, upload)
            )
            print(
                f"| {kind} | {len(body) / 1e6:.2f} MB | {clock.shown(passes)} "
                f"| {clock.shown(look)} | {look / (passes - look):.1%} |",
                flush=True,
            )
    print("\nSeconds of the processor, the proxy's and of the look alone. The last column: what")
    print("looking adds to what the proxy does for such a request besides.")


def _clock_of(proxy: Proxy) -> int:
    """What tells the processor's time of another process, on Linux (clock_getcpuclockid(3))."""
    assert proxy.process is not None
    return (~proxy.process.pid << 3) | 2


def _used(clock_id: int, rounds: int, task: Callable[[], object]) -> float:
    """Seconds by that clock for one `task`, the least of a few tries: others are at work, too."""
    taken = []
    for _ in range(_TRIES):
        start = time.clock_gettime(clock_id)
        for _ in range(rounds):
            task()
        taken.append((time.clock_gettime(clock_id) - start) / rounds)
    return min(taken)


def _pass(line: Line, body: bytes) -> None:
    status, arrived = line.ask("POST", _PATH, body, _TYPE)
    if status != 200 or int(arrived) != len(body):
        raise ConnectionError(f"{status} {arrived[:200]!r}")


def _bodies() -> dict[str, bytes]:
    library = Path(sysconfig.get_path("stdlib"))
    programs = "".join(path.read_text("utf-8") for path in sorted(library.glob("[a-z]*.py")))
    return {
        "short chat": _chat(_SENTENCE * 5),
        "long chat": _chat(_filled(_SENTENCE)),
        "manuals": _chat(_filled("".join(topics.values()))),
        "programs": _chat(_filled(programs)),
        "Russian in escapes": _chat(_filled(_RUSSIAN, _SIZE // 5)),
        "Chinese in escapes": _chat(_filled(_CHINESE, _SIZE // 6)),
        "sound": _chat(base64.b64encode(random.Random(1).randbytes(_SIZE * 3 // 4)).decode()),
        "numbers": json.dumps({"embedding": [one / 7919 for one in range(500_000)]}).encode(),
    }


def _chat(content: str) -> bytes:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
    message = {"role": "user", "content": content}
    return json.dumps({"model": "m", "tools": [tool], "messages": [message]}).encode()


def _filled(text: str, size: int = _SIZE) -> str:
    return "".join(islice(cycle(text), size))


if __name__ == "__main__":
    main()
