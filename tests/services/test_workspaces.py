"""Where requests say which workspace of a service they are for."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from safelight import paths
from safelight.services import Catalogue
from safelight.services.learnt import Learnt
from safelight.services.model import Sign
from safelight.services.workspaces import workspace

CATALOGUE = Catalogue.load(paths.catalogue())
UUID = "1ada8651-e431-4f80-b5da-344eb1d3d5fa"
KNOWN = {"as-of": "2026-11-28", "confidence": "high", "source": ["x"]}
VERTEX = "/v1/projects/acme-1/locations/us-central1/publishers/google/models/m:generateContent"


@pytest.mark.parametrize(
    ("host", "path", "headers", "expected"),
    [
        ("api.openai.com", "/v1/files", {"openai-organization": "org-AbC1"}, "org-abc1"),
        ("api.openai.com", "/v1/files", {"openai-project": "proj_1"}, None),
        ("api.openai.com", "/v1/files", {"openai-organization": "org-a, org-b"}, None),
        ("api.openai.com", "/v1/files", {"openai-organization": ""}, None),
        ("api.openai.com", "/v1/files", {"openai-organization": "x" * 201}, None),
        ("files.oaiusercontent.com", "/files/a/raw", {"chatgpt-account-id": UUID}, None),
        ("chatgpt.com", "/backend-api/files", {"chatgpt-account-id": UUID}, UUID),
        ("claude.ai", f"/api/organizations/{UUID}/conversations/c/wiggle/upload-file", {}, UUID),
        ("claude.ai", f"/api/{UUID}/upload", {}, UUID),
        ("claude.ai", f"/api/organizations/{UUID.replace('1', '%31')}/x/upload", {}, None),
        ("claude.ai", f"/api/{UUID}/upload", {"x-organization-uuid": UUID}, UUID),
        ("claude.ai", f"/api/{UUID}/upload", {"x-organization-uuid": "another"}, None),
        ("Acme-EU.openai.azure.com.", "/openai/v1/responses", {}, "acme-eu"),
        ("a.b.openai.azure.com", "/openai/v1/responses", {}, None),
        ("us-central1-aiplatform.googleapis.com", VERTEX, {}, "acme-1"),
        ("www.notion.so", "/api/v3/getUploadFileUrl", {"x-notion-space-id": UUID}, UUID),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/invoke", {}, None),
    ],
)
def test_what_requests_say(
    host: str, path: str, headers: dict[str, str], expected: str | None
) -> None:
    destination = CATALOGUE.find(host, 443, "POST", path)
    assert destination is not None
    assert destination.workspace(host, path, headers) == expected


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "needs one of `header`, `path` and `host`"),
        ({"header": "a", "path": "^/(a)"}, "needs one of `header`, `path` and `host`"),
        ({"header": "a"}, "needs `hosts`"),
        ({"host": "^(a)$", "hosts": ["a.example"]}, "a host is one itself"),
        ({"path": "^/a", "hosts": ["a.example"]}, "needs one group"),
        ({"host": "^(a)(b)$"}, "needs one group"),
        ({"path": "^/(a+)+"}, "take forever"),
        ({"header": "X-Upper"}, "should match pattern"),
    ],
)
def test_mistakes_in_the_catalogue(said: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        Sign.model_validate(KNOWN | said)


def test_a_long_path_takes_no_longer() -> None:
    sign = Sign.model_validate(KNOWN | {"path": "/x/([a-z]+)$", "hosts": ["a.example"]})
    assert workspace([sign], "a.example", "/" * 10_000_000 + "/x/ours", {}) is None


def test_an_address_in_an_answer_is_for_the_workspace_of_the_request() -> None:
    chatgpt, claude = CATALOGUE.services["chatgpt_web"], CATALOGUE.services["claude_web"]
    learnt = Learnt(CATALOGUE.permitted_names())
    host = "sdmntprwestus.oaiusercontent.com"
    learnt.learn(chatgpt, f'{{"upload_url": "https://{host}/files/abc/raw?sig=1"}}', "ours")
    assert learnt.workspace(chatgpt, host, "/files/abc/raw?sig=1") == "ours"
    assert learnt.workspace(chatgpt, host, "/files/other/raw") is None
    assert learnt.workspace(claude, host, "/files/abc/raw") is None
