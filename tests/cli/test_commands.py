from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from safelight import images
from safelight.cli import main
from tests.support import pictures


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, Path]:
    files = {"a.jpg": pictures.jpeg(), "b.PNG": pictures.png(), "broken.jpg": b"\xff\xd8\xff"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in files}


@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "inspect",
        "strip",
        "policy",
        "policy check",
        "services",
        "services list",
        "services show",
        "services check",
        "audit",
        "audit tail",
        "audit search",
        "audit show",
        "audit verify",
        "audit export",
        "audit report",
        "audit schema",
    ],
)
def test_every_command_has_help(command: str) -> None:
    for flag in ("--help", "-h"):
        result = call(*command.split(), flag)
        assert result.exit_code == 0
        assert "Usage:" in result.output


def test_run_documents_its_options() -> None:
    text = call("run", "--help").output
    for option in ("--listen", "--policy", "--audit", "--state", "--upstream-ca", "--resolve"):
        assert option in text


def test_strip_several_files_into_a_folder(photos: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "clean"
    result = call("strip", *photos.values(), tmp_path / "missing.jpg", "-o", out)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        str(photos["broken.jpg"]),
        str(tmp_path / "missing.jpg"),
    ]
    assert sorted(path.name for path in out.iterdir()) == ["a.jpg", "b.PNG"]
    for name in ("a.jpg", "b.PNG"):
        assert (out / name).read_bytes() == images.strip(photos[name].read_bytes())


def test_strip_beside_the_original(photos: dict[str, Path]) -> None:
    before = photos["a.jpg"].read_bytes()
    assert call("strip", photos["a.jpg"]).exit_code == 0
    assert photos["a.jpg"].read_bytes() == before
    assert (photos["a.jpg"].parent / "a.clean.jpg").read_bytes() == images.strip(before)


def test_strip_keeps_the_length(photos: dict[str, Path], tmp_path: Path) -> None:
    assert call("strip", "--same-length", photos["b.PNG"], "-o", tmp_path / "x").exit_code == 0
    assert (tmp_path / "x" / "b.PNG").stat().st_size == photos["b.PNG"].stat().st_size


def test_strip_never_replaces_an_original_or_another_copy(
    photos: dict[str, Path], tmp_path: Path
) -> None:
    before = photos["a.jpg"].read_bytes()
    result = call("strip", photos["a.jpg"], "-o", tmp_path)
    assert (result.exit_code, photos["a.jpg"].read_bytes()) == (1, before)
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "a.jpg"
    twin.write_bytes(pictures.clean_jpeg())
    result = call("strip", photos["a.jpg"], twin, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "another file was already written" in result.stderr
    assert (tmp_path / "out" / "a.jpg").read_bytes() == images.strip(before)


def test_strip_overwrites_only_when_told(photos: dict[str, Path]) -> None:
    copy = photos["a.jpg"].parent / "a.clean.jpg"
    copy.write_bytes(b"something else")
    result = call("strip", photos["a.jpg"])
    assert (result.exit_code, copy.read_bytes()) == (1, b"something else")
    assert "is there already; --overwrite replaces it" in result.stderr
    result = call("strip", "--overwrite", photos["a.jpg"])
    assert (result.exit_code, "in place of an older copy" in result.stdout) == (0, True)
    assert copy.read_bytes() == images.strip(photos["a.jpg"].read_bytes())


def test_strip_a_folder(photos: dict[str, Path], tmp_path: Path) -> None:
    album = tmp_path / "album"
    (album / "deep").mkdir(parents=True)
    photos["a.jpg"].rename(album / "deep" / "a.jpg")
    (album / "notes.txt").write_text("no picture")
    for target, options in (
        (tmp_path / "album.clean", []),
        (album / "out", ["-o", str(album / "out")]),
    ):
        result = call("strip", album, *options)
        assert result.exit_code == 0
        assert [str(path.relative_to(target)) for path in target.rglob("*.*")] == ["deep/a.jpg"]
        assert result.stderr == "Left out, since they hold no picture: 1 file.\n"
    assert call("strip", "--overwrite", album, "-o", album / "out").exit_code == 0
    assert len(list(album.rglob("*.jpg"))) == 2


def test_strip_keeps_times_only_when_told(photos: dict[str, Path], tmp_path: Path) -> None:
    os.utime(photos["a.jpg"], (1_000_000, 1_000_000))
    call("strip", photos["a.jpg"], "-o", tmp_path / "new")
    assert (tmp_path / "new" / "a.jpg").stat().st_mtime > 1_000_000
    call("strip", "--keep-times", photos["a.jpg"], "-o", tmp_path / "old")
    assert (tmp_path / "old" / "a.jpg").stat().st_mtime == 1_000_000


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    assert call("strip", pipe, "-o", tmp_path / "out").exit_code == 1
    assert "it is not a file" in call("inspect", pipe).output


def test_names_stay_on_their_line(photos: dict[str, Path], tmp_path: Path) -> None:
    odd = photos["a.jpg"].rename(tmp_path / os.fsdecode(b"an\nna\x1b[31m\xff.jpg"))
    for command in ("inspect", "strip"):
        lines = call(command, odd).stdout.splitlines()
        assert lines[0].startswith(f"{tmp_path}/an na [31m")
        assert not any("\x1b" in line for line in lines)
    (told,) = json.loads(call("inspect", "--json", odd).stdout_bytes.decode())
    assert told["file"] == f"{tmp_path}/an\nna\x1b[31m\ufffd.jpg"


def test_inspect_says_what_to_do_with_a_folder(tmp_path: Path) -> None:
    assert "it is a folder; name the pictures in it" in call("inspect", tmp_path).output


def test_a_name_that_leaves_no_room_stops_no_other_file(
    photos: dict[str, Path], tmp_path: Path
) -> None:
    long = photos["b.PNG"].rename(tmp_path / f"{'n' * 250}.png")
    result = call("strip", long, photos["a.jpg"])
    assert (result.exit_code, (tmp_path / "a.clean.jpg").exists()) == (1, True)
    assert "File name too long" in result.stderr


def test_what_may_not_be_read_stops_no_other_file(photos: dict[str, Path], tmp_path: Path) -> None:
    """Root may read everything, so it gives that up first."""
    album = tmp_path / "album"
    (album / "locked").mkdir(parents=True)
    photos["a.jpg"].rename(album / "a.jpg")
    photos["b.PNG"].rename(album / "b.png").chmod(0)
    (album / "locked").chmod(0)
    setpriv = shutil.which("setpriv") if os.geteuid() == 0 else None
    as_anybody = [setpriv, "--bounding-set=-dac_override,-dac_read_search"] if setpriv else []
    if os.geteuid() == 0 and not setpriv:
        pytest.skip("root reads everything, and setpriv is not here")
    safelight = [*as_anybody, sys.executable, "-m", "safelight"]

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*safelight, *arguments], capture_output=True, text=True, check=False)

    result = run("strip", album)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        f"{album}/locked: not looked into: Permission denied",
        f"{album}/b.png: not cleaned: Permission denied",
    ]
    assert [path.name for path in (tmp_path / "album.clean").iterdir()] == ["a.jpg"]
    assert "Permission denied" in run("inspect", album / "b.png").stdout
    assert "Permission denied" in run("strip", album / "locked" / "c.jpg").stderr
    (album / "locked").chmod(0o700)


def test_a_copy_is_as_private_as_its_original(photos: dict[str, Path], tmp_path: Path) -> None:
    photos["a.jpg"].chmod(0o600)
    photos["b.PNG"].chmod(0o444)
    call("strip", photos["a.jpg"], photos["b.PNG"], "-o", tmp_path / "out")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert modes == {"a.jpg": 0o600, "b.PNG": 0o644}


def test_an_interruption_leaves_nothing_half_done(
    photos: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if target.name == "b.PNG":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    result = call("strip", photos["a.jpg"], photos["b.PNG"], "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.jpg"]
    assert "a.jpg ->" in result.stdout


def test_inspect_in_words(photos: dict[str, Path]) -> None:
    result = call("inspect", photos["a.jpg"])
    assert result.exit_code == 0
    lines = [line.split("  ") for line in result.output.splitlines()]
    rows = {one[1]: one[-1].strip() for one in lines if len(one) > 2}
    assert rows["where it was taken"] == "APP1 Exif"
    assert rows["comments and descriptions"] == "comment segment"
    assert "JPEG, 64 x 48 pixels" in result.output
    assert "48.85840" not in result.output
    assert "CANARY" not in result.output
    told = call("inspect", "--values", photos["a.jpg"]).output
    assert "place: 48.85840, 2.29450" in told
    assert "serial number: CANARY-123456" in told


def test_inspect_as_json(photos: dict[str, Path]) -> None:
    result = call("inspect", "--json", *photos.values())
    assert result.exit_code == 1
    jpeg, png, broken = json.loads(result.stdout)
    assert (jpeg["format"], jpeg["orientation"], jpeg["width"]) == ("jpeg", 6, 64)
    assert {finding["kind"] for finding in jpeg["findings"]} >= {"location", "device"}
    assert {"kind": "author", "place": "tEXt chunk"} in png["findings"]
    assert "values" not in jpeg
    assert "CANARY" not in result.stdout.replace(str(photos["a.jpg"].parent), "")
    (told, *_) = json.loads(call("inspect", "--json", "--values", photos["a.jpg"]).stdout)
    assert "48.85840, 2.29450" in [value["value"] for value in told["values"]]
    assert broken["error"] == "This JPEG is cut off."


def test_inspect_a_clean_picture(tmp_path: Path) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "clean.png")
    result = call("inspect", tmp_path / "clean.png")
    assert result.exit_code == 0
    assert "It tells nothing but what is seen." in result.output


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for service files of one's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "safelight" / "services"
    folder.mkdir(parents=True)
    return folder


SERVICE = """\
schema: 1
id: my_ai
name: My AI
category: chat
as-of: '2026-11-23'
confidence: low
body-change: free_to_change
hosts:
  - host: ai.example.org
roads:
  - id: upload
    role: bytes
    methods: [POST]
    path: ^/upload
    encoding: multipart_file
    size-declared: false
    confidence: low
    source: [my own network]
"""


def test_services_list_and_show(own: Path) -> None:
    listed = call("services", "list").output
    assert "ChatGPT: as the whole request, to storage" in listed
    card = call("services", "show", "chatgpt_web").output
    for fact in (
        "*.oaiusercontent.com",
        "privacy.openai.com",
        "'Improve the model for everyone' = off",
        "as of 2026-",
        "source:",
        "the header chatgpt-account-id (as of 2026-11-28; confidence: medium)",
    ):
        assert fact in " ".join(card.split())
    unknown = call("services", "show", "luma").output
    assert "not verified" in unknown
    assert "its workspace, for policies\n  nowhere that is known" in unknown
    missing = call("services", "show", "chatgpt_wb")
    assert (missing.exit_code, "did you mean `chatgpt_web`?" in missing.output) == (1, True)
    (own / "my_ai.yaml").write_text(SERVICE)
    assert "My AI: as a file in a form" in call("services", "list").output


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("path: ^/upload", "path: ^/(upload"), ":14:11: roads.0.path: is not a regular"),
        (("as-of: '2026-11-23'\n", ""), ":1:1: `as-of` is missing"),
        (("as-of: '2026-11-23'\n", "as-of: '2026-13-23'\n"), ":5:8: as-of: is not a day such as"),
        (("source: [my own network]", "source: []"), ":18:13: roads.0.source: "),
        (
            ("name: My AI", "nmae: My AI"),
            ":3:1: `nmae` is not a key that is known here; did you mean `name`?",
        ),
    ],
)
def test_services_check(own: Path, change: tuple[str, str], problem: str) -> None:
    assert call("services", "check").exit_code == 0
    file = own / "my_ai.yaml"
    file.write_text(SERVICE.replace(*change))
    for result in (call("services", "check"), call("services", "check", file)):
        assert result.exit_code == 1
        assert f"{file}{problem}" in result.output
    file.write_text(SERVICE)
    for given in (file, own):
        assert call("services", "check", given).output == f"{file}: ok, My AI\n"


def test_services_check_goes_on_to_the_end(own: Path) -> None:
    file, other = own / "my_ai.yaml", own / "other.yaml"
    for one in (file, other):
        one.write_text(SERVICE)
    result = call("services", "check", other, "/dev/zero", file)
    assert result.exit_code == 1
    assert f"{other}:2:5: the file of `my_ai` must be called my_ai.yaml" in result.output
    assert "/dev/zero:1:1: is larger than" in result.output
    assert f"{file}: ok, My AI" in result.output


def test_audit_tail(tmp_path: Path) -> None:
    result = call("audit", "tail", "--audit", tmp_path)
    assert result.exit_code == 0
    assert "No decision has been recorded" in result.stderr
    record = {
        "v": 1,
        "kind": "decision",
        "id": "d_1",
        "at": "2026-11-23T10:15:04.123Z",
        "service": "chatgpt_web",
        "host": "chatgpt.com",
        "policy": "home",
        "revision": "a",
        "verdict": "warn",
        "pictures": [{"type": "jpeg", "received": 5, "found": ["location"]}],
    }
    (tmp_path / "audit-000001.jsonl").touch()
    assert "No decision has been recorded" in call("audit", "tail", "--audit", tmp_path).stderr
    missing = call("audit", "tail", "--audit", tmp_path / "nowhere")
    assert (missing.exit_code, "There is no folder" in missing.stderr) == (1, True)
    (tmp_path / "audit-000001.jsonl").write_text(json.dumps(record) + "\nnonsense\n")
    result = call("audit", "tail", "--audit", tmp_path)
    assert "sent  chatgpt_web: 1 file, saying where it was taken" in result.stdout
    assert "not a record" in result.stderr
    shown = json.loads(call("audit", "tail", "--audit", tmp_path, "--json").stdout)
    assert shown["id"] == "d_1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--listen", "nowhere"], "is not of the form ADDR:PORT"),
        (["--listen", "127.0.0.1:99999"], "is not of the form ADDR:PORT"),
        (["--resolve", "chatgpt.com"], "is not of the form HOST:PORT=ADDR:PORT"),
        (["--upstream-ca", "/nowhere.pem"], "cannot be used as further roots"),
        (["--listen", "192.0.2.1:8080"], "Cannot listen on 192.0.2.1:8080"),
    ],
)
def test_run_with_mistakes(tmp_path: Path, arguments: list[str], message: str) -> None:
    folders = ["--state", str(tmp_path / "s"), "--audit", str(tmp_path / "a")]
    done = subprocess.run(
        [sys.executable, "-m", "safelight", "run", *folders, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_audit_coverage(tmp_path: Path) -> None:
    assert "No decision" in call("audit", "coverage", "--audit", tmp_path).stderr
    common = {"v": 1, "at": "2026-11-23T10:15:04.123Z", "policy": "home", "revision": "a"}
    sent = {**common, "kind": "decision", "id": "d_1", "verdict": "allow"}
    unseen = {**common, "kind": "unseen", "how": "uninspected"}
    end = {"v": 1, "kind": "end", "of": "d_1", "at": common["at"], "how": "whole", "sent": 5}
    records = [
        {**sent, "service": "claude_web", "host": "claude.ai"},
        end,
        {**sent, "verdict": "block", "service": "claude_web", "host": "claude.ai"},
        {**sent, "verdict": "hold", "service": "claude_web", "host": "claude.ai"},
        {**sent, "service": "chatgpt_web", "host": "chatgpt.com"},
        {**unseen, "service": "chatgpt_web", "host": "chatgpt.com"},
        {**unseen, "how": "certificate-rejected", "service": "claude_web", "host": "claude.ai"},
    ]
    text = "\n".join(map(json.dumps, records))
    (tmp_path / "audit-000001.jsonl").write_text(text + "\nnonsense\n")
    first, second = call("audit", "coverage", "--audit", tmp_path).output.splitlines()
    assert first == "chatgpt_web: 1 sent and 1 let through without a look, as your policy says"
    assert second.startswith("claude_web: 1 sent, 1 stopped, 1 held and not let go and 1 not sent,")
    tail = call("audit", "tail", "--audit", tmp_path).output
    assert "d_1  ended whole: nothing private taken out" in tail
    assert "let through without a look, as your policy says  chatgpt_web" in tail
