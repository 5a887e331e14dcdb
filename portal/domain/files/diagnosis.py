"""Why a digest differs from the declared one, with the remedy. quick() asks the database, deep() the bytes."""

import bz2
import hashlib
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqlalchemy import select

from portal import db
from portal.domain.permissions import access
from portal.messages import Message, say
from portal.models import Dataset, File, Upload

TEXT_LIMIT = 4 << 30
READ_BYTES = 1 << 20
COMPRESSED_READ_BYTES = 64 << 10  # a bomb in it stays within 64 MiB


class _Decompressor(Protocol):
    """What zlib, bz2 and lzma decompressors have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


REMEDIES = {
    "empty_file": say("file_empty", "The file is empty: zero bytes arrived. Send it again under the same name."),
    "upload_file_not_found": say(
        "upload_bytes_gone", "The bytes of this upload are gone. Send the file again under the same name."
    ),
    "file_changed_during_copy": say(
        "bytes_changed_in_check", "The bytes changed while they were checked. Send the file again under the same name."
    ),
    "size_changed_during_copy": say(
        "length_changed_in_check", "The length changed while it was checked. Send the file again under the same name."
    ),
    "copy_error": say(
        "copy_failed",
        "We could not copy the file into the archive; the fault is ours and the operator was told. "
        "You need not do anything.",
    ),
}
ASCII_MODE = say(
    "sent_in_ascii_mode",
    "What arrived equals the declared MD5 after its line ends are converted: your client sent it in ASCII "
    "mode. Set the client to binary and send the file again under the same name.",
)
CUT_OFF = say(
    "stream_cut_off",
    "The compressed stream ends before its last block: the transfer was cut off. "
    "Resume the upload, or send the file again under the same name.",
)


def quick(file: File, error: str) -> Message | None:
    """What the records alone tell of an error of a file."""
    upload = file.upload
    if error != "md5_mismatch":
        return REMEDIES.get(error)
    assert upload is not None
    return _mismatch(file, upload)


def _mismatch(file: File, upload: Upload) -> Message:
    if upload.size == 0:
        return REMEDIES["empty_file"]
    if upload.announced and upload.size < upload.announced:
        return say(
            "fewer_than_announced",
            "Only {size:,} of the {announced:,} bytes that your client announced arrived. "
            "Resume the upload, or send the file again under the same name.",
            size=upload.size,
            announced=upload.announced,
        )
    swapped = _declared_elsewhere(file, upload)
    if swapped:
        return say(
            "files_swapped",
            "What arrived is the file declared as {name}: the two were swapped. "
            "Correct the MD5 of both, or send each under its own name.",
            name=swapped,
        )
    earlier = _earlier(upload)
    if earlier:
        return say(
            "earlier_version_sent",
            "What arrived is the same as upload {upload}, an earlier version of this file. "
            "Send the new version, or correct the MD5.",
            upload=earlier,
        )
    return say(
        "other_bytes_sent",
        "What arrived is not what you declared. Compute the MD5 of your file again: if it differs from the "
        "declared one, correct the MD5; if it is the same, send the file again under the same name.",
    )


def _declared_elsewhere(file: File, upload: Upload) -> str | None:
    query = (
        select(File.name)
        .join(Dataset, Dataset.id == File.dataset_id)
        .where(
            File.declared_md5 == upload.md5,
            File.id != file.id,
            access.editable_by(upload.account_id),
            File.state.not_in(("removed", "replaced")),
        )
        .order_by(File.id.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def _earlier(upload: Upload) -> int | None:
    query = select(Upload.id).where(
        Upload.account_id == upload.account_id,
        Upload.area == upload.area,
        Upload.realm == upload.realm,
        Upload.name == upload.name,
        Upload.md5 == upload.md5,
        Upload.id < upload.id,
    )
    return db.session.scalar(query.order_by(Upload.id.desc()).limit(1))


def deep(path: Path, declared: str, name: str) -> Message | None:
    """What the bytes themselves tell; None when nothing is found. Reads at most 4 GiB."""
    if path.stat().st_size <= TEXT_LIMIT and declared in _converted(path):
        return ASCII_MODE
    return CUT_OFF if _is_cut_off(path, name) else None


def _converted(path: Path) -> set[str]:
    """MD5 of the bytes with CRLF made LF, and with LF made CRLF."""
    to_lf, to_crlf = hashlib.md5(usedforsecurity=False), hashlib.md5(usedforsecurity=False)
    held = b""
    with path.open("rb") as reader:
        while piece := reader.read(READ_BYTES):
            piece = held + piece
            held = b"\r" if piece.endswith(b"\r") else b""
            body = piece[: len(piece) - len(held)].replace(b"\r\n", b"\n")
            to_lf.update(body)
            to_crlf.update(body.replace(b"\n", b"\r\n"))
    for digest in (to_lf, to_crlf):
        digest.update(held)
    return {to_lf.hexdigest(), to_crlf.hexdigest()}


def _is_cut_off(path: Path, name: str) -> bool:
    makers: dict[str, Callable[[], _Decompressor]] = {
        ".gz": lambda: zlib.decompressobj(31),
        ".bz2": bz2.BZ2Decompressor,
        ".xz": lzma.LZMADecompressor,
    }
    make = makers.get(path.suffix if path.suffix in makers else Path(name).suffix)
    if make is None or path.stat().st_size > TEXT_LIMIT:
        return False
    try:
        return not _stream_ends(path, make)
    except (zlib.error, OSError, lzma.LZMAError):
        return False


def _stream_ends(path: Path, make: Callable[[], _Decompressor]) -> bool:
    """Whether the last of the concatenated streams is whole. Output is thrown away piece by piece."""
    stream = make()
    with path.open("rb") as reader:
        while piece := reader.read(COMPRESSED_READ_BYTES):
            while piece:
                if stream.eof:
                    stream = make()
                stream.decompress(piece)
                piece = stream.unused_data if stream.eof else b""
    return stream.eof
