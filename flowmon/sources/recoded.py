"""UTF-16 files, as some exports are (often without a byte order mark), read as the UTF-8 that all else is."""

from __future__ import annotations

import codecs
import io
import os
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
ENCODING_BYTES = 512
"""How many first bytes tell the encoding."""
_BLOCK = 65_536


def encoding_of(block: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` by the first bytes of a file; None for any other.

    Without a mark, text in Latin letters has a zero in every other byte, which no text of 8 bits has.
    """
    marked = _MARKS.get(block[:2]) if not block.startswith(codecs.BOM_UTF32_LE) else None
    if marked is not None:
        return marked
    looked = block[:ENCODING_BYTES]
    half = len(looked) // 2
    if half < 2 or b"\0" not in looked:
        return None
    low, high = looked[: 2 * half : 2].count(0), looked[1 : 2 * half : 2].count(0)
    if high > 0.9 * half and not low:
        return "utf-16-le"
    return "utf-16-be" if low > 0.9 * half and not high else None


class _Recoded(io.RawIOBase):
    """The UTF-8 of a UTF-16 file, without the mark. Positions count bytes of the UTF-8."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._rewind()

    def _rewind(self) -> None:
        self._file.seek(0)
        self._decoder = codecs.getincrementaldecoder(self._encoding)("replace")
        self._ready = b""
        self._at = 0
        self._begun = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).cast("B")
        while not self._ready:
            raw = self._file.read(_BLOCK)
            if not raw:
                return 0
            text = self._decoder.decode(raw)
            if text and not self._begun:
                self._begun = True
                text = text.removeprefix("\ufeff")
            self._ready = text.encode("utf-8", "replace")
        data, self._ready = self._ready[: len(room)], self._ready[len(room) :]
        room[: len(data)] = data
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Only from the start of the file, or to where it is."""
        target = offset if whence == os.SEEK_SET else self._at + offset
        if target < self._at:
            self._rewind()
        while self._at < target and self.read(min(_BLOCK, target - self._at)):
            pass
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def as_utf8(file: IO[bytes], encoding: str) -> io.BufferedReader:
    """A UTF-16 file as UTF-8. Closing it closes the file."""
    return io.BufferedReader(_Recoded(file, encoding), _BLOCK)


def recoded(file: IO[bytes]) -> IO[bytes]:
    """The file itself, or what `as_utf8` makes of it where it is UTF-16. To be called at its start."""
    encoding = encoding_of(file.read(ENCODING_BYTES))
    file.seek(0)
    return file if encoding is None else as_utf8(file, encoding)
