"""Packing of many short texts that are alike: zstd with a dictionary learnt from the first of them.

A message of 590 bytes takes 220 so, for 4 µs; by itself it would hardly shrink. The dictionary belongs to the store: it
is learnt once, kept in `meta`, and never changes. What came before it stands unpacked; which of the two a text is, its
first bytes tell, with which neither MessagePack's arrays nor UTF-8 can begin (RFC 8878, 3.1.1).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from flowmon.errors import StoreReadError

_MAGIC = b"\x28\xb5\x2f\xfd"
_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 1,
    zstd.CompressionParameter.dict_id_flag: 0,  # there is one dictionary only
    zstd.CompressionParameter.content_size_flag: 0,
}
SAMPLES = 2_000
"""So many texts teach the dictionary: 0.1 s, once."""
UNPACKED_FOR_A_WHILE = 240_000_000
"""Bytes of texts that a store which is gone with its command keeps as they are (400,000 messages or so): packing them
would take a tenth of the command's time."""
_DICTIONARY_BYTES = 32_768
_REMEDY = "check the disk; move the file away, it is filled again from the logs"


class Packed:
    """Packs and unpacks the texts of one kind. `stored` gives the dictionary of the store, None while there is none.

    `as_they_are`: so many bytes of texts come first that are not packed.
    """

    def __init__(self, stored: Callable[[], bytes | None], *, as_they_are: int = 0) -> None:
        self._stored = stored
        self._as_they_are = as_they_are
        self.learnt: bytes | None = None
        """A new dictionary, to be stored with the texts that are packed with it."""
        self._dictionary: zstd.ZstdDict | None = None
        self._compressor: zstd.ZstdCompressor | None = None
        self._samples: list[bytes] = []

    def _take(self, content: bytes | None) -> None:
        if content is not None:
            self._dictionary = zstd.ZstdDict(content)
            self._compressor = zstd.ZstdCompressor(options=_OPTIONS, zstd_dict=self._dictionary)

    def learn(self, texts: Collection[bytes]) -> None:
        """Learn from texts that are about to be kept, unless there is a dictionary; `learnt` may be new after it."""
        if self._dictionary is None:
            self._take(self._stored())
        if self._dictionary is not None:
            return
        if self._as_they_are > 0:
            self._as_they_are -= sum(map(len, texts))
            return
        self._samples += texts
        if len(self._samples) < SAMPLES:
            return
        with contextlib.suppress(zstd.ZstdError):  # too much alike, or too short: the next ones may do
            self.learnt = zstd.train_dict(self._samples[:SAMPLES], _DICTIONARY_BYTES).dict_content
        self._samples = []
        self._take(self.learnt)

    def pack(self, text: bytes) -> bytes:
        """The text as it is kept."""
        if self._compressor is None:
            return text
        return self._compressor.compress(text, zstd.ZstdCompressor.FLUSH_FRAME)

    def unpack(self, kept: bytes) -> bytes:
        """The text of what is kept. Raises StoreReadError when it is damaged."""
        if not kept.startswith(_MAGIC):
            return kept
        if self._dictionary is None:
            self._take(self._stored())
        if self._dictionary is None:
            raise StoreReadError(f"the store has lost the dictionary of its texts; {_REMEDY}")
        try:
            return zstd.decompress(kept, self._dictionary.as_digested_dict)
        except zstd.ZstdError as fault:
            raise StoreReadError(f"a text of the store is damaged: {fault}; {_REMEDY}") from None
