"""Real movies, made and decoded by FFmpeg: what is shown and heard stays, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from safelight import images
from safelight.images import Length
from tests.support import exiftool, more_pictures

if TYPE_CHECKING:
    from pathlib import Path

CANARY = b"CANARY"
FRAMES = 12
WAYS = {
    "phone": ("mp4", "libx264", "aac", {}),
    "web": ("mp4", "libx264", "aac", {"movflags": "faststart"}),
    "fragments": ("mp4", "libx264", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    "dash": ("mp4", "libx264", "aac", {"movflags": "dash+frag_every_frame+empty_moov"}),
    "camera": ("mov", "libx264", "pcm_s16le", {}),
    "hevc": ("mp4", "libx265", "aac", {}),
    "alac": ("mov", "mpeg4", "alac", {}),
    "flac": ("mp4", "mpeg4", "flac", {}),
    "editor": ("mov", "prores_ks", "pcm_s16le", {}),
    "open": ("mp4", "libvpx-vp9", "eac3", {}),
    "telephone": ("mov", "libx264", "pcm_alaw", {}),
    "smooth": ("ismv", "libx264", "aac", {}),
    "silent": ("3gp", "mpeg4", None, {}),
}


def recorded(path: Path, way: str) -> bytes:
    """A film with a title and a place."""
    container, picture, sound, options = WAYS[way]
    random = np.random.default_rng(1)
    with av.open(str(path), "w", format=container, options=options) as film:
        film.metadata.update({"title": "CANARY", "location": "+48.8584+002.2945/"})
        video = film.add_stream(picture, rate=10, options=options)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = 64, 48
        video.pix_fmt = "yuv422p10le" if picture == "prores_ks" else "yuv420p"
        audio = film.add_stream(sound, rate=44_100, layout="stereo") if sound else None
        assert audio is None or isinstance(audio, av.AudioStream)
        for number in range(FRAMES):
            pixels = random.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            film.mux(video.encode(frame))
            if audio:
                waves = random.integers(-9000, 9000, (1, 2048)).astype(np.int16)
                heard = av.AudioFrame.from_ndarray(waves, format="s16", layout="stereo")
                heard.rate, heard.pts = 44_100, number * 1024
                film.mux(audio.encode(heard))
        film.mux(video.encode(None))
        if audio:
            film.mux(audio.encode(None))
    return path.read_bytes()


def decoded(path: Path, film: bytes) -> list[tuple[int | None, bytes]]:
    path.write_bytes(film)
    frames = []
    with av.open(str(path)) as source:
        count = len(source.streams)
    for number in range(count):
        with av.open(str(path)) as source:
            for frame in source.decode(source.streams[number]):
                assert isinstance(frame, av.VideoFrame | av.AudioFrame)
                frames.append((frame.pts, frame.to_ndarray().tobytes()))
    return frames


@pytest.mark.parametrize("way", WAYS)
def test_films_play_the_same(way: str, tmp_path: Path) -> None:
    film = recorded(tmp_path / "film", way)
    shown = decoded(tmp_path / "before", film)
    assert len(shown) >= FRAMES
    assert CANARY in film
    cleaned = {str(length): images.strip(film, length) for length in Length}
    for one in cleaned.values():
        assert len(one) == len(film)
        assert CANARY not in one
        assert decoded(tmp_path / "after", one) == shown
        assert images.strip(one) == one
    reports = exiftool.read({f"{name}.mp4": one for name, one in cleaned.items()})
    assert set().union(*(exiftool.left_over(report) for report in reports.values())) == set()


def test_a_film_for_the_web_is_cleaned_on_its_way(tmp_path: Path) -> None:
    film = recorded(tmp_path / "film", "web")
    cleaner = images.StreamCleaner(images.Format.MP4, len(film))
    parts = [cleaner.feed(film[at : at + 999]) for at in range(0, len(film), 999)]
    cleaner.close()
    assert b"".join(parts) == images.strip(film, Length.SAME_LENGTH)


def test_a_track_of_metadata_over_the_picture_leaves_it_alone() -> None:
    film = more_pictures.movie()
    picture = film.index(b"picture samples!")
    secret = film.index(b"CANARY gps track")
    film = film.replace(secret.to_bytes(4), picture.to_bytes(4))
    cleaned = images.strip(film)
    assert cleaned[picture : picture + 16] == b"picture samples!"
    assert CANARY not in cleaned
