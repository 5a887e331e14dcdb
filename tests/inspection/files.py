"""Small files of each kind, made here, and a way to look into bytes as the portal does."""

import gzip
import io
import struct
import tarfile
import tempfile
import zipfile
import zlib

from portal import inspection
from portal.inspection import Report

READS = b"".join(b"@r%d\nACGTNACGT\n+\nFFFF:FFF#\n" % n for n in range(200))
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def look(data: bytes, name: str = "x", **options) -> Report:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return inspection.inspect(file.fileno(), name=name, size=len(data), **options)


def found(data: bytes, name: str = "x") -> tuple[str, str | None]:
    report = look(data, name)
    return report.file_type, report.error


def tar(files: dict[str, bytes], mode: str = "w", form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as writer:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            writer.addfile(member, io.BytesIO(data))
    return out.getvalue()


def short_tar(files: dict[str, bytes]) -> bytes:
    """A tar that ends with its end mark, without the zeros that fill it up to 10 KiB."""
    whole = tar(files)
    return whole.rstrip(b"\0").ljust(-(-len(whole.rstrip(b"\0")) // 512) * 512, b"\0") + bytes(1024)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as writer:
        for name, data in files.items():
            writer.writestr(name, data)
    return out.getvalue()


def bgzf(data: bytes, *, end: bytes = BGZF_END, size: int = 500) -> bytes:
    blocks = []
    for start in range(0, len(data), size):
        block = bytearray(gzip.compress(data[start : start + size], mtime=0))
        extra = b"\6\0BC\2\0" + struct.pack("<H", len(block) + 8 - 1)
        block[3] = 4
        blocks.append(bytes(block[:10]) + extra + bytes(block[10:]))
    return b"".join(blocks) + end


def bam(reads: int = 20, bases: int = 8) -> bytes:
    """What a BAM unpacks to."""
    text = b"@HD\tVN:1.6\n"
    head = b"BAM\1" + struct.pack("<i", len(text)) + text + struct.pack("<i", 1)
    head += struct.pack("<i", 5) + b"chr1\0" + struct.pack("<i", 1000)
    core = struct.pack("<iiBBHHHiiii", 0, 1, 3, 30, 0, 0, 0, bases, -1, -1, 0)
    record = core + b"r1\0" + bytes((bases + 1) // 2) + b"!" * bases
    return head + (struct.pack("<i", len(record)) + record) * reads


def sff(reads: int = 3, *, bases: int = 5, header: int | None = None, flows: int = 4, index: int = 0) -> bytes:
    def full(data: bytes) -> bytes:
        return data + bytes(-len(data) % 8)

    length = len(full(bytes(31 + flows + 4)))
    name = b"READ01"
    own = len(full(bytes(16 + len(name))))
    read = full(struct.pack(">HHIHHHH", header or own, len(name), bases, 0, 0, 0, 0) + name)
    read += full(bytes(flows * 2 + bases * 3))
    at = length + len(read) * reads
    head = struct.pack(">4s4sQIIHHHB", b".sff", b"\0\0\0\1", at if index else 0, index, reads, length, 4, flows, 1)
    return full(head + b"TACG"[:flows].ljust(flows, b"T") + b"TCAG") + read * reads + bytes(index)


def srf_block(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    return kind + struct.pack(">I", 5 + len(body) if length is None else length) + body


def srf(*blocks: bytes) -> bytes:
    text = b"\x031.3Z\x04Bust\x031.0"
    return b"SSRF" + struct.pack(">I", 8 + len(text)) + text + b"".join(blocks)


SRF_HEADER = srf_block(b"H", b"E\x03rd_" + struct.pack(">I", 0) + b"ztr header")
SRF_READ = srf_block(b"R", b"\0\x021a" + b"trace data")


def rar_header(kind: int, data: bytes = b"", *, old: bool = False) -> bytes:
    """A header of a RAR and what it says follows."""
    if old:
        body = bytes([kind]) + struct.pack("<HH", 0x8000 if data else 0, 7 + (4 if data else 0))
        body += struct.pack("<I", len(data)) if data else b""
        return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body + data
    body = bytes([kind, 2 if data else 0]) + (bytes([len(data)]) if data else b"")
    sized = bytes([len(body)]) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized + data


RAR = b"Rar!\x1a\x07\x01\0" + rar_header(1) + rar_header(2, b"packed") + rar_header(5)
OLD_RAR = (
    b"Rar!\x1a\x07\0" + rar_header(0x73, old=True) + rar_header(0x74, b"packed", old=True) + rar_header(0x7B, old=True)
)
# One frame of zstd, raw: "text" with its checksum left out; and a frame to skip.
ZST = b"\x28\xb5\x2f\xfd\x20\x04" + (4 << 3 | 1).to_bytes(3, "little") + b"text"
SKIPPED = b"\x50\x2a\x4d\x18\x03\0\0\0abc"


def hdf5(stated: int, length: int = 2048) -> bytes:
    head = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    head += struct.pack("<QQQQ", 0, 2**64 - 1, stated, 2**64 - 1)
    return head.ljust(length, b"\0")
