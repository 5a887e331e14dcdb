"""Compressed streams, read piece by piece to the end with their checksums; several in a row count as one."""

import bz2
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from isal import igzip_lib

from portal.inspection.limits import Fault, Stop, Watch
from portal.inspection.readers import READ_SIZE, Reader

_BROKEN: Any = (igzip_lib.IsalError, OSError, EOFError, lzma.LZMAError, ValueError)


class Stream(Protocol):
    """What unpacks one stream."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@dataclass(frozen=True)
class Codec:
    """How a kind of stream is unpacked, how one begins, and the words for what ends early or is wrong."""

    called: str
    make: Callable[[Watch], Stream]
    magic: bytes
    cut: str
    bad: str


def _gunzip(_watch: Watch) -> Stream:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _inflate(_watch: Watch) -> Stream:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)


GZ = Codec("gzip", _gunzip, b"\x1f\x8b", "gunzip_error", "gunzip_error")
BGZF = Codec("BGZF", _gunzip, b"\x1f\x8b", "truncated_file", "corrupt_file")
BZIP2 = Codec("bzip2", lambda _watch: bz2.BZ2Decompressor(), b"BZ", "bunzip2_error", "bunzip2_error")
XZ = Codec(
    "xz",
    lambda watch: lzma.LZMADecompressor(lzma.FORMAT_XZ, watch.bounds.memory),
    b"\xfd7",
    "truncated_file",
    "corrupt_file",
)
# The streams of zip members end by themselves; what follows is no longer theirs.
DEFLATE = Codec("deflate", _inflate, b"", "unzip_error", "unzip_error")
ZIPPED_BZIP2 = Codec("bzip2", lambda _watch: bz2.BZ2Decompressor(), b"", "unzip_error", "unzip_error")


class Unpacked:
    """What a compressed reader unpacks to. `last` is how much the latest of its streams gave."""

    def __init__(self, source: Reader, codec: Codec, watch: Watch) -> None:
        self._source, self._codec, self._watch = source, codec, watch
        self._stream = codec.make(watch)
        self._held, self._taken, self._told = b"", 0, 0
        self.last = 0

    def read(self, most: int, /) -> bytes:
        while True:
            if self._stream.eof and not self._next():
                return b""
            data = self._unpack(self._more() if self._stream.needs_input else b"", most)
            if data:
                self.last += len(data)
                self._watch.add(len(data), self._taken - self._told)
                self._told = self._taken
                return data
            self._watch.tick()  # streams without content may be many

    def _fetch(self) -> bytes:
        data = self._source.read(READ_SIZE)
        self._taken += len(data)
        return data

    def _more(self) -> bytes:
        data, self._held = self._held or self._fetch(), b""
        if not data:
            raise Fault(
                self._codec.cut, f"The {self._codec.called} stream ends in the middle, at byte {self._taken:,}."
            )
        return data

    def _unpack(self, data: bytes, most: int) -> bytes:
        try:
            unpacked: bytes = self._stream.decompress(data, most)
        except _BROKEN as error:
            if "emory usage limit" in str(error):
                raise Stop("It asks for more memory than is given to it, and was not checked.", inner=True) from None
            cause = f"The {self._codec.called} stream is damaged before byte {self._taken:,}."
            raise Fault(self._codec.bad, cause) from None
        return unpacked

    def _next(self) -> bool:
        """Begin with the stream that follows, past zeros that fill up a block. False when nothing follows."""
        if not self._codec.magic:
            return False
        rest = self._stream.unused_data.lstrip(b"\0")
        while len(rest) < 2 and (data := self._fetch()):
            rest = (rest + data).lstrip(b"\0")
        if not rest:
            return False
        if not rest.startswith(self._codec.magic):
            raise Fault(self._codec.bad, f"Bytes that are no {self._codec.called} follow the end of the stream.")
        self._stream, self._held, self.last = self._codec.make(self._watch), rest, 0
        return True
