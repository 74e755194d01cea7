from __future__ import annotations

import json

import pytest

from safelight import paths
from safelight.services import Catalogue
from safelight.services.learnt import MOST_ADDRESSES, REMEMBERED, Learnt

NOTION = Catalogue.load(paths.catalogue()).services["notion_ai"]
PERMITTED = ("amazonaws.com", "storage.googleapis.com")
SIGNED = "https://prod-files.s3.us-west-2.amazonaws.com/a%20b/c?X-Amz-Signature=0f&x=1"


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"signedPutUrl": SIGNED, "url": "x"}),
        json.dumps({"signedPutUrl": SIGNED}).replace("/", "\\/"),
        json.dumps({"a": json.dumps({"b": SIGNED})}),
        f"0:{{}}\n1:{SIGNED}\n",
        SIGNED.replace("amazonaws.com", "amazonaws.com:443"),
    ],
)
def test_addresses_in_answers_are_learnt(answer: str) -> None:
    learnt = Learnt(PERMITTED)
    learnt.learn(NOTION, answer)
    assert learnt.covers("Prod-Files.s3.us-west-2.amazonaws.com.")
    for path in ("/a%20b/c?other=query", "/a b/c"):
        found = learnt.find("prod-files.s3.us-west-2.amazonaws.com", path)
        assert found == (NOTION, "*.amazonaws.com")


def test_nothing_else_is_meant() -> None:
    learnt = Learnt(PERMITTED)
    learnt.learn(NOTION, f"{SIGNED} https://bank.example/login https://evilamazonaws.com/x")
    assert learnt.find("prod-files.s3.us-west-2.amazonaws.com", "/someone/elses") is None
    assert not learnt.covers("other.s3.amazonaws.com")
    assert not learnt.covers("bank.example")
    assert not learnt.covers("evilamazonaws.com")


def test_they_are_forgotten() -> None:
    now = 0.0
    learnt = Learnt(PERMITTED, lambda: now)
    learnt.learn(NOTION, SIGNED)
    now = REMEMBERED - 1
    learnt.learn(NOTION, "https://storage.googleapis.com/later")
    now = REMEMBERED + 1
    assert not learnt.covers("prod-files.s3.us-west-2.amazonaws.com")
    assert learnt.covers("storage.googleapis.com")


def test_there_are_never_too_many() -> None:
    learnt = Learnt(PERMITTED)
    learnt.learn(NOTION, SIGNED)
    for number in range(MOST_ADDRESSES):
        learnt.learn(NOTION, f"https://b{number}.s3.amazonaws.com/x")
    assert not learnt.covers("prod-files.s3.us-west-2.amazonaws.com")
    assert learnt.covers("b5.s3.amazonaws.com")
