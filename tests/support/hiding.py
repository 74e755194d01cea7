"""What every hiding place is put to: whatever was hidden goes, or the file is refused."""

from __future__ import annotations

import io

import pytest
from PIL import Image, UnidentifiedImageError

from safelight import images
from safelight.images import Length
from tests.support import pictures

CANARY = b"CANARY-52.5200N-Anna"


def together(**groups: dict[str, bytes]) -> dict[str, bytes]:
    """Hiding places of several formats, each by its format and its own name."""
    return {
        f"{one}: {name}": data for one, places in groups.items() for name, data in places.items()
    }


def reveals_nothing(hidden: bytes, *, refused: bool = False) -> None:
    """Clean `hidden` in both lengths; pixels stay where Pillow can read them."""
    assert pictures.says_secrets(hidden)
    for length in Length:
        if refused:
            with pytest.raises(images.ImageError):
                images.strip(hidden, length)
            continue
        cleaned = images.strip(hidden, length)
        assert not pictures.says_secrets(cleaned)
        assert length is Length.COMPACT or len(cleaned) == len(hidden)
        assert images.strip(cleaned, length) == cleaned
        before = drawn(hidden)
        assert before is None or drawn(cleaned) == before


def drawn(data: bytes) -> tuple[tuple[int, int], bytes] | None:
    """The size and pixels, or None for what Pillow does not draw."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image.size, image.tobytes()
    except (UnidentifiedImageError, OSError, ValueError, EOFError, SyntaxError, RuntimeError):
        return None
