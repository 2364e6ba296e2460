"""Decompression that a sender cannot make large: never more bytes than the receiver allows."""

from __future__ import annotations

import zstandard

from shared.errors import WireError


def decompressed(payload: bytes, limit: int) -> bytes:
    """The content of a zstd frame, at most limit bytes. Raises WireError.

    A frame that tells its size is refused before anything is allocated, because the library ignores
    ``max_output_size`` for such a frame. A frame that does not tell it is bounded while it is read.
    """
    try:
        told = zstandard.frame_content_size(payload)
        if told > limit:
            raise WireError(f"frame of {told} bytes, at most {limit}", "body")
        return zstandard.ZstdDecompressor().decompress(payload, max_output_size=limit)
    except zstandard.ZstdError as error:
        raise WireError(f"cannot be decompressed ({error})", "body") from error
