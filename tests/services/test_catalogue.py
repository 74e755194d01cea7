from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from safelight import paths
from safelight.documents import DocumentError
from safelight.services import Catalogue
from safelight.services.hosts import fixed_suffix, matches

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = Catalogue.load(paths.catalogue())

UNLIKELY_HOSTS = """
files.oaiusercontent.com sdmntprwestus.oaiusercontent.com push.clients6.google.com
content-push.googleapis.com aisandbox-pa.googleapis.com lensfrontend-pa.googleapis.com
rupload.meta.ai substrate.office.com substrate.svc.cloud.microsoft acme-my.sharepoint.com
uploads.github.com ppl-ai-file-upload.s3.amazonaws.com
discord-attachments-uploads-prd.storage.googleapis.com
qwen-webui-prod.oss-ap-southeast-1.aliyuncs.com hailuo-video.oss-us-east-1.aliyuncs.com
minimax-public-cdn.oss-cn-wulanchabu.aliyuncs.com imagex.bytedanceapi.com
tos-d-x-lf.snssdk.com upload.kuaishouzt.com upload.uvfuns.com
0123abcd.r2.cloudflarestorage.com gensparkprod.blob.core.windows.net
mistralupload.blob.core.windows.net storage.googleapis.com v3.fal.media v3b.fal.media
someone-some-space.hf.space composer.opera-api.com internal-api.virginia.labs.lumalabs.ai
clipdrop-api.co sdk.photoroom.com
""".split()

ORDINARY_HOSTS = """
www.example.org accounts.google.com mail.google.com drive.google.com www.paypal.com github.com
www.microsoft.com login.microsoftonline.com s3.amazonaws.com signin.aws.amazon.com www.apple.com
chatgpt.com.evil.org evilchatgpt.com oaiusercontent.com 192.0.2.1 office.com www.deutsche-bank.de
""".split()


def test_every_service_has_its_row() -> None:
    assert len(CATALOGUE.services) == 82
    for service in CATALOGUE.services.values():
        assert service.privacy is not None, service.id
        assert service.hosts or service.id == "lensa", service.id


@pytest.mark.parametrize("host", UNLIKELY_HOSTS)
def test_hosts_that_do_not_look_like_ai_services_are_covered(host: str) -> None:
    assert CATALOGUE.covers(host, 443)


@pytest.mark.parametrize("host", ORDINARY_HOSTS)
def test_ordinary_hosts_are_left_alone(host: str) -> None:
    assert not CATALOGUE.covers(host, 443)
    assert CATALOGUE.find(host, 443, "POST", "/upload") is None


@pytest.mark.parametrize(
    ("host", "method", "path", "service", "road"),
    [
        ("api.openai.com", "POST", "/v1/images/edits", "openai_api", "images_edits"),
        ("API.OpenAI.com.", "POST", "/v1/chat/completions?x=1", "openai_api", None),
        ("sdmntprwestus.oaiusercontent.com", "PUT", "/files/abc/raw?se=1", "chatgpt_web", "put"),
        ("api.anthropic.com", "POST", "/v1/messages", "anthropic_api", None),
        ("api.openai.com", "POST", "/v1/something/new", "openai_api", None),
    ],
)
def test_requests_find_their_service_and_step(
    host: str, method: str, path: str, service: str, road: str | None
) -> None:
    destination = CATALOGUE.find(host, 443, method, path)
    assert destination is not None
    assert destination.service.id == service
    if road is not None:
        assert destination.road is not None
        assert destination.road.id == road


def test_what_is_too_long_for_a_name_is_nobodys_and_not_kept() -> None:
    host = "a" * 100_000 + ".openai.com"
    before = sys.getrefcount(host)
    assert not CATALOGUE.covers(host, 443)
    assert CATALOGUE.find(host, 443, "POST", "/v1/files") is None
    assert sys.getrefcount(host) == before


def test_shared_hosts_count_only_where_pictures_go() -> None:
    assert CATALOGUE.find("www.google.com", 443, "POST", "/searchbyimage/upload") is not None
    assert CATALOGUE.find("www.google.com", 443, "POST", "/search?q=x") is None
    assert CATALOGUE.find("uploads.github.com", 443, "POST", "/repos/a/b/releases") is None


def test_a_query_never_hides_an_upload() -> None:
    for service in CATALOGUE.services.values():
        for pattern in (path for entry in service.hosts for path in entry.paths):
            assert not pattern.endswith("$"), f"{service.id}: {pattern}"
    for path in ("/searchbyimage/upload", "/searchbyimage/upload?hl=en"):
        assert CATALOGUE.find("www.google.com", 443, "POST", path) is not None


def test_the_host_limited_to_a_path_goes_before_the_host_as_a_whole() -> None:
    bucket = "/bsp-remini-image-in-web-1/picture"
    remini = CATALOGUE.find("storage.googleapis.com", 443, "PUT", bucket)
    other = CATALOGUE.find("storage.googleapis.com", 443, "PUT", "/somewhere/picture")
    assert remini is not None
    assert remini.service.id == "remini"
    assert other is not None
    assert other.service.id != "remini"


def test_local_servers_are_known_by_their_port() -> None:
    assert CATALOGUE.covers("127.0.0.1", 8188)
    assert CATALOGUE.covers("localhost", 8188)
    assert not CATALOGUE.covers("127.0.0.1", 8080)
    assert not CATALOGUE.covers("127.0.0.2", 8188)


def test_a_promised_size_is_known_where_it_matters() -> None:
    put = CATALOGUE.find("files.oaiusercontent.com", 443, "PUT", "/files/abc/raw")
    edit = CATALOGUE.find("api.openai.com", 443, "POST", "/v1/images/edits")
    assert put is not None
    assert put.road is not None
    assert put.road.size_declared
    assert edit is not None
    assert edit.road is not None
    assert not edit.road.size_declared


def test_every_step_that_carries_bytes_reaches_a_known_host() -> None:
    for service in CATALOGUE.services.values():
        ports = {entry.port or 443 for entry in service.hosts}
        for road in service.roads:
            for pattern in road.hosts if road.role.carries_bytes else ():
                host = pattern.replace("*", "x")
                covered = any(CATALOGUE.covers(host, port) for port in ports)
                assert covered, f"{service.id}: {pattern}"


def test_the_certificate_may_speak_for_every_host() -> None:
    names = CATALOGUE.permitted_names()
    for service in CATALOGUE.services.values():
        for entry in service.hosts:
            if entry.port is None:
                suffix = fixed_suffix(entry.host)
                assert any(suffix == name or suffix.endswith(f".{name}") for name in names)
    assert not any("*" in name or name.count(".") < 1 for name in names)
    assert not any(matches(f"*.{one}", other) for one in names for other in names)


def test_every_card_that_is_not_sourced_says_not_verified() -> None:
    for service in CATALOGUE.services.values():
        if service.privacy is not None and not service.privacy.source:
            assert service.privacy.confidence == "not verified", service.id


GOOD = """\
schema: 1
id: mine
name: Mine
category: chat
as-of: "2026-01-02"
confidence: high
body-change: free_to_change
hosts:
  - host: mine.example.com
roads:
  - id: send
    role: bytes
    path: ^/send$
    encoding: multipart_file
    size-declared: false
    confidence: high
    source: [my own eyes]
"""


def _card(fact: str) -> str:
    return f"privacy:\n  training-default: {fact}\n  confidence: high\nhosts:"


def problems(tmp_path: Path, text: str, name: str = "mine.yaml") -> str:
    (tmp_path / name).write_text(text)
    with pytest.raises(DocumentError) as caught:
        Catalogue.load(tmp_path)
    return str(caught.value)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD)
    mine = Catalogue.load(paths.catalogue(), tmp_path)
    assert mine.find("mine.example.com", 443, "POST", "/send") is not None
    assert len(mine.services) == 83


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("path: ^/send$", "path: ^/(send$"), "mine.yaml:13:11: roads.0.path: is not a regular"),
        (("path: ^/send$", "path: " + "a" * 501), "is longer than 500 characters"),
        (("mine.example.com", "Mine.example.com"), "mine.yaml:9:11: hosts.0.host: "),
        (("mine.example.com", "'*.com'"), "at least two labels"),
        (('as-of: "2026-01-02"', "as-of: lately"), "mine.yaml:5:8: as-of: "),
        (("    source: [my own eyes]\n", ""), "mine.yaml:11:5: `source` is missing"),
        (("    encoding", "    encodign"), "`encodign` is not a key that is known here"),
        (('as-of: "2026-01-02"', 'as-of: "2026-19-39"'), "mine.yaml:5:8: as-of: "),
        (("multipart_file", "multipart_fil"), "did you mean `multipart_file`?"),
        (("free_to_change", "free"), "mine.yaml:7:14: body-change: must be one of"),
        (("role: bytes", "methods: [post]\n    role: bytes"), "methods.0: must be one of"),
        (("hosts:", _card("{says: no, as-of: '2026-01-02'}")), "no source"),
        (("hosts:", _card("{says: no}")), "mine.yaml:9:21: `as-of` is missing"),
        (
            ("hosts:", _card("{says: no, as-of: lately}")),
            "mine.yaml:9:39: privacy.training-default.as-of: ",
        ),
        (("path: ^/send$", "path: ^/(?:[a-z]+/)*$"), "repeats a group that repeats"),
        (("path: ^/send$", r"path: ^/((?:\d{2,}|x)y)+$"), "repeats a group that repeats"),
        (("path: ^/send$", "path: ^/(a|aa)+$"), "repeats a group that repeats"),
        (("path: ^/send$", "path: ^/(?:a?b)*$"), "repeats a group that repeats"),
        (("path: ^/send$", "path: ^/(a{2,3})+$"), "repeats a group that repeats"),
        (("path: ^/send$", "path: ^/(?:a{0,50}){0,50}b"), "repeats a group that repeats"),
        (("path: ^/send$", "path: ^/.*.*.*.*x"), "more than 3 places"),
        (("path: ^/send$", "path: ^/a{99999999999}"), "is not a regular expression"),
        (("path: ^/send$", "path: ^/[[a]"), "is not a regular expression"),
        (("id: mine", "id: other"), "mine.yaml:2:5: the file of `other` must be called"),
    ],
)
def test_mistakes_say_file_line_and_column(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    assert message in problems(tmp_path, GOOD.replace(*change))


@pytest.mark.parametrize(
    "path",
    ["^/a+/b*$", r"^/\(a+\)+$", "^/[(a+)|?]+$", "^/(ab){2,3}$", "^/(a+|b)?c", "^/(?=.*a)(?P<x>b)"],
)
def test_patterns_that_end_are_taken(tmp_path: Path, path: str) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD.replace("^/send$", path))
    assert Catalogue.load(tmp_path).services["mine"].roads[0].path == path


def test_one_id_twice_and_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    for folder in (tmp_path, tmp_path / "again"):
        (folder / "mine.yaml").write_text(GOOD)
    with pytest.raises(DocumentError, match="is there twice"):
        Catalogue.load(tmp_path, tmp_path / "again")
    with pytest.raises(DocumentError, match="no service files"):
        Catalogue.load(tmp_path / "nowhere")
