"""The systemd unit, judged by systemd; the monitor, scraped by a real Prometheus."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.cli.test_monitoring import ask, send
from tests.support import lab as labs
from tests.support import pictures, ports, tools

UNIT = Path(__file__).parents[2] / "docker" / "safelight.service"


def test_the_unit_is_understood_and_locked_down(tmp_path: Path) -> None:
    analyze = tools.needed("systemd-analyze")
    unit = tmp_path / "safelight.service"
    unit.write_text(UNIT.read_text().replace("/opt/safelight/bin/safelight", "/bin/true"))
    done = subprocess.run(
        [analyze, "verify", str(unit)], capture_output=True, text=True, check=False
    )
    # A key that is not known is a warning alone.
    ours = [line for line in done.stderr.splitlines() if "safelight" in line]
    assert (done.returncode, ours) == (0, [])
    told = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-500:]
    assert "MemoryDenyWriteExecute=yes" not in UNIT.read_text()


def test_prometheus_reads_it(tmp_path: Path) -> None:
    port, own = ports.free(), ports.free()
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(
        "scrape_configs:\n- job_name: safelight\n  scrape_interval: 1s\n  static_configs:\n"
        f"  - targets: ['127.0.0.1:{port}']\n"
    )
    with labs.running(tmp_path, options=("--monitor", f"127.0.0.1:{port}")) as lab:
        assert send(lab, pictures.jpeg(), "127.0.0.1") == 200
        checked = subprocess.run(
            [tools.needed("promtool"), "check", "metrics"],
            input=ask(port, "/metrics")[1],
            capture_output=True,
            text=True,
            check=False,
        )
        assert [line for line in checked.stderr.splitlines() if "safelight" in line] == []
        process = subprocess.Popen(
            [
                *(tools.needed("prometheus"), f"--config.file={configuration}"),
                *(f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{own}"),
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            assert _asked(own, "safelight_uploads_total{service='openai_api'}") == 1
            assert _asked(own, "safelight_policy_usable * safelight_audit_writable") == 1
            assert _asked(own, "safelight_certificate_expiry_timestamp_seconds - time()") > 0
            slow = "histogram_quantile(0.99, safelight_upload_delay_seconds_bucket)"
            assert 0 < _asked(own, slow) <= 10
        finally:
            process.terminate()
            process.wait(20)


def _asked(port: int, query: str) -> float:
    url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}"
    for _ in range(60):
        time.sleep(0.5)
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:
            continue
        if found:
            return float(found[0]["value"][1])
    pytest.fail("Prometheus has no number")
