from __future__ import annotations

import json
import subprocess
from urllib.parse import unquote

import pytest

from safelight import assembly
from safelight.services.hosts import matches, normal
from safelight.trust import pac
from tests.support import tools

PROXY = "127.0.0.1:8080"


def answers(patterns: list[str], hosts: list[str]) -> list[str]:
    """What the script says of each host, asked in a real JavaScript engine."""
    ask = f"{json.dumps(hosts)}.map(host => FindProxyForURL('https://' + host + '/', host))"
    program = f"{pac.script(patterns, PROXY)}\nconsole.log(JSON.stringify({ask}))"
    said = subprocess.check_output([tools.needed("node"), "-e", program], text=True)
    found: list[str] = json.loads(said)
    return found


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("chatgpt.com", "chatgpt.com"),
        ("chatgpt.com", "ChatGPT.com."),
        ("chatgpt.com", "www.chatgpt.com"),
        ("chatgpt.com", "chatgpt.com.evil.example"),
        ("chatgpt.com", "notchatgpt.com"),
        ("*.hf.space", "a.hf.space"),
        ("*.hf.space", "a.b.hf.space"),
        ("*.hf.space", "hf.space"),
        ("*.tos-*.volces.com", "a.tos-cn.volces.com"),
        ("*.tos-*.volces.com", "a.b.tos-cn.volces.com"),
        ("*.tos-*.volces.com", "tos-cn.volces.com"),
        ("bedrock-runtime.*.amazonaws.com", "bedrock-runtime.eu-west-1.amazonaws.com"),
        ("bedrock-runtime.*.amazonaws.com", "bedrock-runtime.a.b.amazonaws.com"),
        ("*genspark*.blob.core.windows.net", "xgensparky.blob.core.windows.net"),
        ("*genspark*.blob.core.windows.net", "a.genspark.blob.core.windows.net"),
        ("chatgpt.com", "constructor"),
        ("chatgpt.com", "__proto__"),
    ],
)
def test_it_answers_as_the_catalogue_does(pattern: str, host: str) -> None:
    goes = matches(pattern, normal(host))
    assert answers([pattern], [host]) == [f"PROXY {PROXY}" if goes else "DIRECT"]


def test_every_host_of_the_catalogue_goes_through_the_proxy() -> None:
    patterns = assembly.load_catalogue().host_patterns()
    hosts = [one.replace("*", "some") for one in patterns]
    assert len(hosts) > 150
    assert set(answers(list(patterns), hosts)) == {f"PROXY {PROXY}"}
    others = ["localhost", "127.0.0.1", "www.example.org", "mail.google.com", "amazonaws.com"]
    assert set(answers(list(patterns), others)) == {"DIRECT"}


def test_as_a_url_it_is_the_same() -> None:
    script = pac.script(["chatgpt.com"], PROXY)
    head, _, rest = pac.as_url(script).partition(",")
    assert head == "data:application/x-ns-proxy-autoconfig"
    assert unquote(rest) == script
