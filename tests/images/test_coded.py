"""Notes of encoders between the units of coded pictures and sound: they go, pixels stay."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from safelight import images
from safelight.images import Length, aac, av1, blanking, motion_jpeg, mpeg4, nal_units
from tests.images.test_corpus import looks
from tests.images.test_hidden_in_boxes import heif, movie, track
from tests.images.test_movies import decoded
from tests.support import more_pictures as more
from tests.support import pictures
from tests.support.hiding import CANARY, reveals_nothing
from tests.support.more_pictures import box, full

if TYPE_CHECKING:
    from pathlib import Path

UUID = bytes(range(16))
SLICE = b"\x65PICTURE!"
_AVCC = box(b"avcC", b"\1\x64\0\x1f\xff\xe0\0")
_HVCC = box(b"hvcC", b"\1" + bytes(20) + b"\3\0")
_AV1C = box(b"av1C", b"\x81\0\0\0")


def message(type_: int, payload: bytes) -> bytes:
    def number(value: int) -> bytes:
        return b"\xff" * (value // 255) + bytes([value % 255])

    return number(type_) + number(len(payload)) + payload


def escaped(body: bytes) -> bytes:
    """With the bytes that keep start codes away (H.264 section 7.4.1)."""
    out = bytearray()
    for byte in body:
        if out.endswith(b"\0\0") and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


def unescaped(body: bytes) -> bytes:
    return body.replace(b"\0\0\3", b"\0\0")


def unit(header: bytes, *messages: bytes) -> bytes:
    return header + escaped(b"".join(messages) + b"\x80")


def sized(*units: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(one)) + one for one in units)


TIMING = message(1, b"\x12\x34")
SHORT = message(1, bytes(2))
SECRET = message(5, UUID + CANARY)
ZEROS = message(5, UUID + bytes(9) + CANARY + bytes(4))
MESSAGES = {
    "a note": (SECRET,),
    "a note behind timing": (TIMING, SECRET),
    "a note before timing": (SECRET, TIMING),
    "a note with zeros": (ZEROS, TIMING, ZEROS),
    "behind zeros": (SHORT, SECRET, TIMING),
    "a long note behind zeros": (SHORT, message(5, UUID + CANARY * 40), TIMING),
    "registered": (message(4, b"\xb5\0\x31TEST" + CANARY),),
    "an unknown kind": (message(200, CANARY), message(300, CANARY), TIMING),
    "too long for its kind": (message(6, CANARY),),
    "filler that tells": (message(3, CANARY),),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_go_one_by_one(name: str) -> None:
    before = unit(b"\x06", *MESSAGES[name])
    after = nal_units.cleaned(before, nal_units.AVC)
    assert len(after) == len(before)
    assert CANARY not in unescaped(after)
    assert after.endswith(b"\x80")
    assert escaped(unescaped(after)) == after
    assert nal_units.cleaned(after, nal_units.AVC) == after
    assert (TIMING in MESSAGES[name]) == (TIMING in after)


@pytest.mark.parametrize("size", [*range(16, 30), *range(250, 262), *range(505, 520), 1000])
def test_every_length_can_be_filled(size: int) -> None:
    before = unit(b"\x06", message(5, b"C" * size), TIMING)
    after = nal_units.cleaned(before, nal_units.AVC)
    assert len(after) == len(before)
    assert after.endswith(TIMING + b"\x80")
    assert b"C" not in after


def test_what_is_shown_stays() -> None:
    captions = message(4, b"\xb5\0\x31GA94\x03" + bytes(20))
    light = message(144, b"\1\2\3\4")
    for one in (unit(b"\x06", TIMING, captions), unit(b"\x4e\1", light)):
        codec = nal_units.AVC if one[0] == 6 else nal_units.HEVC
        assert nal_units.cleaned(one, codec) == one


@pytest.mark.parametrize(
    "damaged",
    [b"\x06" + CANARY, b"\x06\5\xff\xff\xff", b"\x06\5", b"\x06C", unit(b"\x06") + CANARY],
)
def test_messages_that_do_not_add_up_are_filled_up_whole(damaged: bytes) -> None:
    after = nal_units.cleaned(damaged, nal_units.AVC)
    assert len(after) == len(damaged)
    assert CANARY not in after
    assert nal_units.cleaned(after, nal_units.AVC) == after


FILMS = {
    "a message": sized(unit(b"\x06", SECRET), SLICE),
    "an unspecified unit": sized(SLICE, b"\x18" + CANARY),
    "filler": sized(SLICE, b"\x0c" + CANARY),
    "the end of a picture": sized(SLICE, b"\x0b" + CANARY),
}


@pytest.mark.parametrize("name", FILMS)
def test_units_of_a_film(name: str) -> None:
    data = FILMS[name]
    at = 32
    film = movie(track(place=(at, len(data)), entry=_AVCC), data=data)
    reveals_nothing(film)
    assert SLICE in images.strip(film)


def test_a_fragment_is_looked_at() -> None:
    data = FILMS["a message"]
    mvex = box(b"mvex", full(b"trex", struct.pack(">5I", 1, 1, 0, 0, 0)))
    described = movie(track(entry=_AVCC), inside=mvex)
    head = full(b"mfhd", struct.pack(">I", 1))

    def moof(size: int) -> bytes:
        base = box(b"tfhd", b"\0\2\0\0", struct.pack(">I", 1))
        run = box(b"trun", b"\0\0\2\1", struct.pack(">IiI", 1, size + 8, len(data)))
        return box(b"moof", head, box(b"traf", base, run))

    film = described + moof(len(moof(0))) + box(b"mdat", data)
    reveals_nothing(film)
    assert SLICE in images.strip(film)


def test_the_same_place_cannot_be_named_for_ever() -> None:
    data = FILMS["a message"]
    sizes = full(b"stsz", struct.pack(">III", len(data), 90, 0))
    places = full(b"stco", struct.pack(">I90I", 90, *range(32, 122)))
    film = movie(track(entry=_AVCC, sizes=sizes), data=data)
    film = film.replace(box(b"stco", bytes(4), struct.pack(">II", 1, 32)), places)
    with pytest.raises(images.ImageError):
        images.strip(film)


def test_a_film_cannot_say_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sized(unit(b"\x06", SECRET), SLICE) * 9
    film = movie(track(place=(32, len(data)), entry=_AVCC), data=data)
    reveals_nothing(film)
    monkeypatch.setattr(blanking, "MOST_CHANGES", 5)
    reveals_nothing(film, refused=True)


OBUS = {
    "a time": b"\x2a" + bytes([2 + len(CANARY)]) + b"\5" + CANARY + b"\x80",
    "registered": b"\x2a" + bytes([5 + len(CANARY)]) + b"\4\xb5\0\1" + CANARY + b"\x80",
    "unregistered": b"\x2a" + bytes([1 + len(CANARY)]) + b"\x1f" + CANARY,
    "reserved": b"\x4a" + bytes([len(CANARY)]) + CANARY,
    "padding": b"\x7a" + bytes([len(CANARY)]) + CANARY,
    "layered": b"\x2e\x08" + bytes([1 + len(CANARY)]) + b"\x1f" + CANARY,
}
_FRAME, _LIGHT = b"\x32\x08PICTURE!", b"\x2a\x06\x01\1\2\3\4\x80"


@pytest.mark.parametrize("name", OBUS)
def test_units_of_av1(name: str) -> None:
    data = _LIGHT + OBUS[name] + _FRAME
    picture = heif((1, b"av01", b"\0", data), properties=_AV1C)
    film = movie(track(place=(32, len(data)), entry=_AV1C), data=data)
    config = heif((1, b"av01", b"\0", _FRAME), properties=box(b"av1C", b"\x81\0\0\0", OBUS[name]))
    for hidden in (picture, film, config):
        reveals_nothing(hidden)
    for kept in (_LIGHT, _FRAME):
        assert kept in images.strip(picture)
        assert kept in images.strip(film)
    [(_, changed)] = av1.changes(OBUS[name], 0, len(OBUS[name]))
    assert changed[0] >> 3 & 15 == 15
    assert changed.endswith(b"\x80")


ITEMS = {
    "hevc": (1, b"hvc1", b"\0", sized(unit(b"\x4e\1", SECRET), b"\x26\1PICTURE!")),
    "jpeg 2000": (1, b"j2k1", b"\0", more.saved("JPEG2000", comment=CANARY, no_jp2=True)),
    "an identity": (1, b"iden", b"\0", CANARY),
    "a grid": (1, b"grid", b"\0", b"\0\0\0\0\0\1\0\1" + CANARY),
    "an overlay": (1, b"iovl", b"\0", bytes(14) + CANARY),
    "a gain map": (1, b"tmap", b"\0", bytes(62) + CANARY),
}


@pytest.mark.parametrize("rest", [b"\0\0", CANARY, b"\0" + CANARY, b"\x32\x7f" + CANARY])
def test_nothing_stands_behind_an_item(rest: bytes) -> None:
    hevc = ITEMS["hevc"][3]
    for item, config in (((1, b"hvc1", b"\0", hevc), _HVCC), ((1, b"av01", b"\0", _FRAME), _AV1C)):
        picture = heif((*item[:3], item[3] + rest + CANARY), properties=config)
        reveals_nothing(picture)
        assert b"PICTURE!" in images.strip(picture)


@pytest.mark.parametrize("name", ITEMS)
def test_items_of_pictures(name: str) -> None:
    reveals_nothing(heif(ITEMS[name], properties=_HVCC))


def test_a_unit_may_stand_in_two_extents() -> None:
    data = ITEMS["hevc"][3]
    picture = heif(ITEMS["hevc"], properties=_HVCC)
    at = picture.index(data)
    one = struct.pack(">HHHII", 1, 0, 1, at, len(data))
    two = struct.pack(">HHHIIII", 1, 0, 2, at, 20, at + 20, len(data) - 20)
    grown = len(two) - len(one)
    moved = picture.replace(one, two).replace(
        struct.pack(">II", at, 20) + struct.pack(">II", at + 20, len(data) - 20),
        struct.pack(">IIII", at + grown, 20, at + grown + 20, len(data) - 20),
    )
    for name in (b"meta", b"iloc"):
        size = moved.index(name) - 4
        moved = (
            moved[:size]
            + struct.pack(">I", int.from_bytes(moved[size : size + 4]) + grown)
            + moved[size + 4 :]
        )
    reveals_nothing(moved)
    assert b"PICTURE!" in images.strip(moved)


def test_sizes_of_four_bytes_are_known_where_others_are_declared() -> None:
    short = box(b"hvcC", b"\1" + bytes(22))
    picture = heif(ITEMS["hevc"], properties=short)
    reveals_nothing(picture)
    assert b"\x26\1PICTURE!" in images.strip(picture)
    unknown = heif((1, b"hvc1", b"\0", b"\xff" + CANARY), properties=short)
    reveals_nothing(unknown, refused=True)


def test_pictures_that_nothing_shows_go() -> None:
    hidden = heif((1, b"hvc1", b"\0", b"PICTURE!"), (2, b"hvc1", b"\0", CANARY))
    at = hidden.index(struct.pack(">HH", 2, 0) + b"hvc1") - 1
    reveals_nothing(hidden[:at] + b"\1" + hidden[at + 1 :])
    made_of = heif(
        (1, b"grid", b"\0", b"\0\0\0\0\0\1\0\1"),
        (2, b"hvc1", b"\0", b"PICTURE!"),
        references=box(b"dimg", struct.pack(">HHH", 1, 1, 2)),
    )
    at = made_of.index(struct.pack(">HH", 2, 0) + b"hvc1") - 1
    assert b"PICTURE!" in images.strip(made_of[:at] + b"\1" + made_of[at + 1 :])


def test_properties_that_nothing_has_go() -> None:
    picture = heif(properties=full(b"ispe", CANARY[:8]))
    owned = full(b"ipma", struct.pack(">IHB", 1, 1, 2), b"\1\2")
    assert owned in picture
    unowned = full(b"ipma", struct.pack(">IHB", 1, 1, 2), b"\1\1")
    cleaned = images.strip(picture.replace(owned, unowned))
    assert CANARY[:8] in images.strip(picture)
    assert CANARY[:8] not in cleaned


def test_names_of_channels_and_components_go() -> None:
    pixi = box(b"pixi", b"\0\0\0\1", b"\1\x08\1" + CANARY + b"\0")
    components = box(b"cmpd", struct.pack(">IH", 2, 0x8000), CANARY + b"\0", b"\0\4")
    for one in (pixi, components):
        reveals_nothing(heif(properties=one))


def test_user_data_of_mpeg() -> None:
    start = b"\0\0\1\xb2"
    kept = start + b"Lavc60.3.100" + b"\0\0\1\xb6PICTURE!"
    note = start + CANARY + b"\0\0\1\xb6PICTURE!"
    assert list(mpeg4.changes(kept, 0, len(kept))) == []
    assert list(mpeg4.changes(note, 0, len(note))) == [(4, b" " * len(CANARY))]


def test_pictures_of_motion_jpeg() -> None:
    two = pictures.jpeg() * 2
    assert CANARY[:6] in two
    film = movie(
        track(place=(32, len(two))).replace(b"mp4v", b"jpeg"),
        data=two,
    )
    cleaned = images.strip(film)
    assert CANARY[:6] not in cleaned
    assert len(cleaned) == len(film)
    first = cleaned[32 : 32 + len(two) // 2]
    assert pictures.same_pixels(pictures.jpeg(), first)
    assert list(motion_jpeg.changes(b"\xff\xd8\xff\xfe\0\xff", 0, 6)) == []


def test_the_name_of_an_encoder_of_sound() -> None:
    name = b"Lavc63.1.102\0"
    count = len(name) + 2
    fill = (6 << 13 | 15 << 9 | (count - 14) << 1) << 8
    frame = fill.to_bytes(3) + name + bytes(2) + b"\x21SOUND" * 9
    [(at, clean)] = aac.changes(frame, 0, len(frame))
    assert at == 0
    assert name[:4] not in clean
    assert clean.endswith(b"\x21SOUND" * 9)
    assert list(aac.changes(clean, 0, len(clean))) == []
    assert list(aac.changes(b"\x21SOUND" * 9, 0, 54)) == []


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mjpeg", "mpeg2video", "libsvtav1"])
def test_no_encoder_is_named(codec: str, tmp_path: Path) -> None:
    path = tmp_path / "film"
    pixels = np.random.default_rng(1).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    known = "mp4" if codec == "libsvtav1" else "mov"
    with av.open(str(path), "w", format=known, options={"movflags": "faststart"}) as film:
        video = film.add_stream(codec, rate=25)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = 128, 96
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            film.mux(video.encode(frame))
        film.mux(video.encode(None))
    data = path.read_bytes()
    cleaned = images.strip(data, Length.SAME_LENGTH)
    assert decoded(path, cleaned) == decoded(path, data)
    for name in (b"x264", b"x265", b"Lavc"):
        assert name not in cleaned
    for size in (7, 999, len(data)):
        cleaner = images.StreamCleaner(images.Format.MP4, len(data))
        parts = [cleaner.feed(data[at : at + size]) for at in range(0, len(data), size)]
        cleaner.close()
        assert b"".join(parts) == cleaned


def with_leading_index(film: bytes) -> bytes:
    moved = film.index(b"moov") - 4
    index, rest = film[moved:], film[24:moved]
    place = struct.pack(">II", 1, 32)
    return film[:24] + index.replace(place, struct.pack(">II", 1, 32 + len(index))) + rest


@pytest.mark.parametrize("name", OBUS)
def test_units_of_av1_on_their_way(name: str) -> None:
    data = _LIGHT + OBUS[name] + _FRAME
    film = movie(track(place=(32, len(data)), entry=_AV1C), data=data)
    leading = with_leading_index(film)
    cleaner = images.StreamCleaner(images.Format.MP4, len(leading))
    parts = [cleaner.feed(leading[at : at + 3]) for at in range(0, len(leading), 3)]
    cleaner.close()
    assert b"".join(parts) == images.strip(leading, Length.SAME_LENGTH)
    assert CANARY not in b"".join(parts)
    assert cleaner.findings


def test_a_track_of_depth_goes_and_one_of_alpha_stays() -> None:
    image = pictures.pixels().convert("RGBA")
    image.putalpha(image.convert("L"))
    output = io.BytesIO()
    image.save(output, "AVIF", save_all=True, append_images=[image.rotate(180)], duration=99)
    alpha = output.getvalue()
    index = alpha.index(b"auxi") + 4
    at = alpha.index(b":alpha\0", index) + 1
    depth = alpha[:at] + b"depth" + alpha[at + 5 :]
    assert looks(images.strip(alpha)) == looks(alpha)
    assert looks(images.strip(depth)) == looks(depth)
    assert images.Kind.DEPTH_MAP in {one.kind for one in images.examine(depth).findings}
    assert images.Kind.DEPTH_MAP not in {one.kind for one in images.examine(alpha).findings}


@pytest.mark.parametrize(
    ("type_", "kind"),
    [(b"thmb", images.Kind.THUMBNAIL), (b"vdep", images.Kind.DEPTH_MAP)],
)
def test_tracks_that_belong_to_others_go(type_: bytes, kind: images.Kind) -> None:
    belongs = box(b"tref", box(type_, struct.pack(">I", 1)))
    data = b"PICTURE!" + CANARY
    small = track(b"pict", (40, len(CANARY)), inside=belongs)
    film = movie(track(), small, data=data)
    reveals_nothing(film)
    assert b"PICTURE!" in images.strip(film)
    assert kind in {one.kind for one in images.examine(film).findings}


@pytest.mark.parametrize("type_", [b"free", b"skip", b"zzzz", b"wide"])
def test_what_is_shown_may_stand_in_any_box(type_: bytes) -> None:
    secret = (2, b"Exif", b"\0", bytes(4) + CANARY)
    for whole in (movie(data=b"PICTURE!" + CANARY), heif((1, b"hvc1", b"\0", b"PICTURE!"), secret)):
        at = whole.rindex(b"mdat")
        hidden = whole[:at] + type_ + whole[at + 4 :]
        reveals_nothing(hidden)
        assert b"PICTURE!" in images.strip(hidden)
    film = with_leading_index(movie(data=b"PICTURE!" + CANARY).replace(b"mdat", type_))
    cleaner = images.StreamCleaner(images.Format.MP4, len(film))
    cleaned = cleaner.feed(film)
    cleaner.close()
    assert cleaned == images.strip(film, Length.SAME_LENGTH)
    assert b"PICTURE!" in cleaned
