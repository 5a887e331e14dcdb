"""The type of a file by its first bytes, in the handbook's words. DATA is binary of no known kind."""

import re
from typing import Any

from isal import igzip_lib

_MAGIC = (
    (b"BZh", "BZIP2"),
    (b"Rar!\x1a\x07", "RAR"),
    (b".sff", "SFF"),
    (b"SSRF", "SRF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "MSOFFICE"),
    (b"L\0\0\0\x01\x14\x02\0", "SHORTCUT"),
    (b"[InternetShortcut]", "SHORTCUT"),
    (b"\0\0\0\x01Bud1", "SYSTEM"),
    (b"\0\x05\x16\x07", "SYSTEM"),
    (b"\0\x05\x16\0", "SYSTEM"),
    (b"\x7fELF", "SYSTEM"),
    (b"\xcf\xfa\xed\xfe", "SYSTEM"),
    (b"\xca\xfe\xba\xbe", "SYSTEM"),
    (b"[.ShellClassInfo]", "SYSTEM"),
    (b"PK\3\4", "ZIP"),
    (b"PK\5\6", "ZIP"),
    (b"PK\7\x08PK\3\4", "ZIP"),
    (b"\xfd7zXZ\0", "XZ"),
    (b"\x28\xb5\x2f\xfd", "ZST"),
)
HEAD = 64 << 10
_BROKEN: Any = (igzip_lib.IsalError, EOFError, ValueError)
_HDF5 = b"\x89HDF\r\n\x1a\n"
_OFFICE = (b"[Content_Types].xml", b"_rels/.rels", b"docProps/")
_BASES = re.compile(rb"[A-Za-z*.\-]*\r?")
_OCTAL, _HIGH = re.compile(rb"[0-7]+"), re.compile(rb"[\x80-\xff]")
_SAM = (b"@HD\t", b"@SQ\t", b"@RG\t", b"@PG\t", b"@CO\t")
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_HTML = re.compile(rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)
_XSL = re.compile(rb"<(?:\w+:)?(?:stylesheet|transform)\s[^>]*http://www\.w3\.org/1999/XSL/Transform")


def of(head: bytes, size: int | None = None) -> str:
    """The type, by the first 64 KiB. XZ and ZST are said where the vocabulary has DATA: shown() turns them."""
    if not head:
        return "EMPTY"
    if head.startswith(b"\x1f\x8b"):
        return "BAM" if _begins_with(head, b"BAM\x01") else "GZ"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return "MSOFFICE" if kind == "ZIP" and head[30:60].startswith(_OFFICE) else kind
    if any(head[at : at + 8] == _HDF5 for at in (0, 512, 1024, 2048, 4096, 8192)):
        return "HDF5"
    if is_tar(head):
        return "TAR"
    if _is_animation(head, size):
        return "FLI"
    if head.startswith(b"MZ") and head[int.from_bytes(head[60:64], "little") :][:4] == b"PE\0\0":
        return "SYSTEM"
    return _text(head)


def shown(kind: str) -> str:
    """The word of the vocabulary."""
    return "DATA" if kind in ("XZ", "ZST") else kind


def _begins_with(head: bytes, magic: bytes) -> bool:
    try:
        stream = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        return stream.decompress(head[:4096], len(magic)) == magic
    except _BROKEN:
        return False


def is_tar(block: bytes) -> bool:
    """Whether these bytes begin with the header of a tar, by its checksum; by its mark where they are fewer."""
    if len(block) < 512:
        return block[257:262] == b"ustar"
    return block[0] != 0 and has_checksum(block[:512])


def has_checksum(block: bytes) -> bool:
    """Whether a tar header bears its own checksum, as it should be made or as some old programs made it with signs."""
    digits = block[148:156].strip(b" \0")
    if not _OCTAL.fullmatch(digits):
        return False
    stated, total = int(digits, 8), sum(block) - sum(block[148:156]) + 256
    return stated == total or stated == total - 256 * len(_HIGH.findall(block[:148] + block[156:]))


def _is_animation(head: bytes, size: int | None) -> bool:
    length, magic = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:6], "little")
    return magic in (0xAF11, 0xAF12) and len(head) >= 128 and size in (None, length)


def _text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "TEXT"
    body = head.removeprefix(b"\xef\xbb\xbf")
    if _CONTROL.search(body):
        return "DATA"
    if is_fastq(body):
        return "FASTQ"
    if body.startswith(b"#!"):
        return "SHELL"
    start = _past_comments(body[:8192])
    if _HTML.match(start):
        return "HTML"
    if start.startswith(b"<") and _XSL.search(start):
        return "XSL"
    return "TEXT" if _is_legible(body) else "DATA"


def _past_comments(start: bytes) -> bytes:
    """What follows the declaration and comments at the head of XML or HTML."""
    start = start.lstrip()
    while start.startswith((b"<!--", b"<?")):
        mark = b"-->" if start.startswith(b"<!--") else b"?>"
        at = start.find(mark)
        if at < 0:
            return b""
        start = start[at + len(mark) :].lstrip()
    return start


def is_fastq(head: bytes) -> bool:
    """@name, bases, +: as far as the first bytes reach."""
    if not head.startswith(b"@") or head.startswith(_SAM):
        return False
    lines = head[:HEAD].split(b"\n", 3)
    if len(lines) < 2 or not lines[0][1:2].strip():
        return False
    if len(lines) == 2:
        return len(lines[1]) > 1000 and _BASES.fullmatch(lines[1]) is not None
    return _BASES.fullmatch(lines[1]) is not None and lines[2].startswith(b"+")


def _is_legible(body: bytes) -> bool:
    try:
        body[: len(body) - 4 if len(body) > 4096 else None].decode()
        return True
    except UnicodeDecodeError as error:
        high = sum(byte >= 128 for byte in body[:4096])
        return (error.start > 4096 and error.start >= len(body) - 8) or high * 10 < 4 * min(len(body), 4096)
