"""SIGTERM lets what is on its way be answered first."""

from __future__ import annotations

import concurrent.futures
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support import pictures
from tests.support.large import large, put

if TYPE_CHECKING:
    from pathlib import Path

LARGE = large("PNG")


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "workers"])
def test_uploads_on_their_way_arrive(tmp_path: Path, options: tuple[str, ...]) -> None:
    with (
        labs.running(tmp_path, options=options) as lab,
        concurrent.futures.ThreadPoolExecutor(6) as pool,
    ):
        assert lab.proxy.process is not None
        (lab.folder / f"photo-{len(LARGE)}").write_bytes(LARGE)
        sending = [
            pool.submit(put, lab, LARGE, "--limit-rate", "5M", "--interface", f"127.0.0.{number}")
            for number in range(2, 8)
        ]
        deadline = time.monotonic() + 20
        while len(lab.proxy.records()) < len(sending):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        lab.proxy.process.send_signal(signal.SIGTERM)
        assert [one.result().status for one in sending] == [200] * len(sending)
        assert lab.proxy.process.wait(20) == 0
        assert len(lab.arrived) == len(sending)
        assert not any(pictures.says_secrets(one.body[:100_000]) for one in lab.arrived)
        ends = [one["how"] for one in lab.proxy.records() if one["kind"] == "end"]
        assert ends == ["whole"] * len(sending)


def test_nobody_connects_any_more(tmp_path: Path) -> None:
    with labs.running(tmp_path) as lab, concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert lab.proxy.process is not None
        sending = pool.submit(put, lab, LARGE, "--limit-rate", "5M")
        deadline = time.monotonic() + 20
        while not lab.proxy.records():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        lab.proxy.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(lab.proxy.address, 5)
        assert sending.result().status == 200
        assert lab.proxy.process.wait(20) == 0
