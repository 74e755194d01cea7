from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.services import hosts

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("chatgpt.com", "chatgpt.com"),
        ("*.oaiusercontent.com", "files.oaiusercontent.com"),
        ("*.oaiusercontent.com", "a.b.oaiusercontent.com"),
        ("sdmntpr*.oaiusercontent.com", "sdmntprwestus.oaiusercontent.com"),
        ("bedrock-runtime.*.amazonaws.com", "bedrock-runtime.eu-west-1.amazonaws.com"),
        ("*genspark*.blob.core.windows.net", "gensparkstore.blob.core.windows.net"),
        ("*-aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com"),
    ],
)
def test_matches(pattern: str, host: str) -> None:
    assert hosts.matches(pattern, host)


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("chatgpt.com", "evil-chatgpt.com"),
        ("chatgpt.com", "chatgpt.com.evil.org"),
        ("chatgpt.com", "a.chatgpt.com"),
        ("*.oaiusercontent.com", "oaiusercontent.com"),
        ("*.oaiusercontent.com", "xoaiusercontent.com"),
        ("*.oaiusercontent.com", "a.oaiusercontent.com.evil.org"),
        ("*.oaiusercontent.com", ".oaiusercontent.com"),
        ("bedrock-runtime.*.amazonaws.com", "bedrock-runtime.amazonaws.com"),
        ("bedrock-runtime.*.amazonaws.com", "bedrock-runtime.a.b.amazonaws.com"),
        ("bedrock-runtime.*.amazonaws.com", "s3.eu-west-1.amazonaws.com"),
        ("*ab*ba.example.com", "aba.example.com"),
    ],
)
def test_does_not_match(pattern: str, host: str) -> None:
    assert not hosts.matches(pattern, host)


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*.com",
        "com",
        "Chatgpt.com",
        "a..b.com",
        "a b.com",
        "https://a.com",
        "a.*",
        "**.example.com",
        "x.*.com",
        "*.co.uk",
        "co.uk",
        "",
    ],
)
def test_patterns_that_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        hosts.check(pattern)


def test_names_are_compared_in_one_form() -> None:
    assert hosts.normal("ChatGPT.com.") == "chatgpt.com"
    assert hosts.normal("bücher.example") == "xn--bcher-kva.example"
    assert hosts.normal("\uff23hatGPT\uff0ecom\u3002") == "chatgpt.com"


def test_a_name_that_cannot_be_resolved_matches_nothing() -> None:
    index: hosts.HostIndex[int] = hosts.HostIndex()
    index.add("*.example.com", 1)
    fits = "a" * 63 + ".example.com"
    assert index.find(fits) == [("*.example.com", 1)]
    assert index.find("a." * 121 + "example.com") == [("*.example.com", 1)]
    assert index.find("a." * 122 + "example.com") == []


def test_the_index_finds_the_more_specific_first() -> None:
    index: hosts.HostIndex[int] = hosts.HostIndex()
    for number, pattern in enumerate(["*.example.com", "a.example.com", "b*.example.com"]):
        index.add(pattern, number)
    assert [value for _, value in index.find("A.example.com.")] == [1, 0]
    assert {value for _, value in index.find("bb.example.com")} == {0, 2}
    assert index.find("example.com") == []


@given(st.lists(LABEL, min_size=1, max_size=4), st.lists(LABEL, min_size=2, max_size=3))
def test_a_leading_star_matches_whole_labels_only(front: list[str], back: list[str]) -> None:
    suffix = ".".join(back)
    pattern = f"*.{suffix}"
    assert hosts.matches(pattern, ".".join([*front, suffix]))
    assert not hosts.matches(pattern, front[0] + suffix)
    assert not hosts.matches(pattern, suffix)


@given(st.text(max_size=40))
def test_any_host_can_be_asked_for(host: str) -> None:
    index: hosts.HostIndex[int] = hosts.HostIndex()
    index.add("*.example.com", 1)
    found = index.find(host)
    assert not found or hosts.normal(host).endswith(".example.com")
