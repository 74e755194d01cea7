"""Same-length cleaning of a picture that arrives in pieces, in bounded memory."""

from safelight.images.streaming.cleaner import STREAMED, StreamCleaner

__all__ = ["STREAMED", "StreamCleaner"]
