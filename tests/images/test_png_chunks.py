from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safelight.images import png_chunks
from safelight.images.model import ImageError
from safelight.images.png_chunks import SIGNATURE, built

_RUNS = st.lists(st.tuples(st.sampled_from([0, 1, 2, 256, 257]), st.sampled_from([1, 2, 3, 600])))


@given(_RUNS, st.sampled_from([b"IEND", b"IDAU", b"iDAT"]), st.integers(0, 14))
def test_pixels_end_where_another_chunk_begins(
    runs: list[tuple[int, int]], behind: bytes, cut: int
) -> None:
    pixels = b"".join(built(b"IDAT", b"\0" * size) * count for size, count in runs)
    data = SIGNATURE + pixels + built(behind, b"") + built(b"IEND", b"")
    data = data[: len(data) - cut]
    expected, position = [], len(SIGNATURE)
    while position + 8 <= len(data):
        type_ = data[position + 4 : position + 8]
        position += 12 + int.from_bytes(data[position : position + 4])
        expected.append(type_)
        if type_ == b"IEND":
            break
    complete = position <= len(data) and expected[-1:] == [b"IEND"]
    try:
        found = png_chunks.chunks(data)
    except ImageError:
        assert not complete
        return
    assert complete
    others = [chunk.type for chunk in found if chunk.type != b"IDAT"]
    assert others == [type_ for type_ in expected if type_ != b"IDAT"]
    assert [chunk.end - chunk.start for chunk in found if chunk.type == b"IDAT"] == (
        [len(pixels)] if pixels else []
    )
    assert found[-1].end == position
