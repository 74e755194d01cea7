from __future__ import annotations

import pytest
from PIL import ImageCms

from safelight.images import icc

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("size", [len(PROFILE), icc.SMALL, icc.SMALL + 1, 3 * icc.SMALL])
def test_a_profile_becomes_the_same_however_long_and_however_often(size: int) -> None:
    clean = icc.scrubbed(PROFILE)
    assert (len(clean), clean != PROFILE) == (len(PROFILE), True)
    hidden = PROFILE + b"CANARY"[: size - len(PROFILE)].ljust(size - len(PROFILE), b"\1")
    for _ in range(3):
        assert icc.scrubbed(hidden) == clean.ljust(size, b"\0")
        assert icc.scrubbed(clean.ljust(size, b"\0")) == clean.ljust(size, b"\0")


@pytest.mark.parametrize(
    "broken", [b"", PROFILE[:128] + b"\xff" * 4, PROFILE.replace(b"acsp", b"scap")]
)
def test_what_is_no_profile_is_refused_each_time(broken: bytes) -> None:
    for one in (broken, broken.ljust(2 * icc.SMALL, b"\0")):
        for _ in range(2):
            with pytest.raises(icc.ProfileError):
                icc.scrubbed(one)
