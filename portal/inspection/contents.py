"""What is checked of each type. Raises Fault; a member of a package is checked like a file, but no package in it is
opened."""

from collections.abc import Callable

from portal.inspection import file_types
from portal.inspection.decompression import BZIP2, GZ, XZ, Unpacked
from portal.inspection.formats import bam, fastq, rar, sff, srf, tar, zst
from portal.inspection.limits import Fault, Watch
from portal.inspection.members import Listing
from portal.inspection.readers import HEAD, Reader, drain, fill, peek

CODECS = {"GZ": GZ, "BZIP2": BZIP2, "XZ": XZ}
CHECKS: dict[str, Callable[[Reader, Watch], None]] = {
    "BAM": bam.check,
    "FASTQ": fastq.check,
    "RAR": rar.check,
    "SFF": sff.check,
    "SRF": srf.check,
    "ZST": zst.check,
}
READS = (".fastq", ".fq", ".fasta", ".fa", ".sam", ".bam", ".cram", ".sff", ".srf")
PACKED = (".gz", ".bgz", ".bz2", ".xz")
# What a name promises, and the word where the bytes are nothing of the kind.
PROMISES = {
    (".gz", ".tgz", ".bgz"): "gunzip_error",
    (".bz2", ".tbz2", ".tbz"): "bunzip2_error",
    (".zip",): "unzip_error",
    (".tar",): "tar_error",
    (".bam", ".sff", ".srf", ".h5", ".hdf5", ".xz", ".zst", ".rar"): "corrupt_file",
}
PLAIN = ("DATA", "TEXT", "HTML", "SHELL", "XSL", "FASTQ")


def check(kind: str, source: Reader, name: str, size: int, watch: Watch, listing: Listing | None = None) -> None:
    """Look through a file or member of this type, listing what a tar holds where a listing is given."""
    _compare_name(kind, source, name)
    if kind in CODECS:
        _unpack(Unpacked(source, CODECS[kind], watch), name, watch, listing)
    elif kind == "TAR" and listing is not None:
        tar.Tar(source, listing, watch).walk()
    elif kind == "HDF5":
        _check_hdf5(source, size)
    elif kind == "TEXT" and _is_blank(name, source):
        raise Fault("missing_read_data")
    elif kind in CHECKS:
        CHECKS[kind](source, watch)


def _unpack(unpacked: Unpacked, name: str, watch: Watch, listing: Listing | None) -> None:
    head, source = peek(unpacked)
    inner = file_types.of(head)
    if inner == "TAR" and listing is not None:
        tar.Tar(source, listing, watch).walk()
    elif inner == "FASTQ":
        fastq.check(source, watch)
    elif not head.strip() and _holds_reads(name) and len(head) < HEAD:
        raise Fault("missing_read_data")
    drain(source)


def _is_blank(name: str, source: Reader) -> bool:
    """Whether a file that by its name holds reads holds nothing but blanks."""
    return _holds_reads(name) and not fill(source, HEAD).strip()


def _holds_reads(name: str) -> bool:
    base = name.lower()
    for ending in PACKED:
        base = base.removesuffix(ending)
    return base.endswith(READS)


def _compare_name(kind: str, source: Reader, name: str) -> None:
    """A page of a web server that was saved as a .gz, say, is no .gz."""
    word = next((word for endings, word in PROMISES.items() if name.lower().endswith(endings)), None)
    if word is None or kind not in PLAIN:
        return
    if word == "tar_error" and not any(fill(source, 2 * tar.BLOCK)):
        return  # a tar of nothing is nothing but its end mark
    ending = name.lower().rsplit(".", 1)[-1]
    raise Fault(word, f"It is called .{ending} and is none; its bytes are {'binary' if kind == 'DATA' else kind}.")


def _check_hdf5(source: Reader, size: int) -> None:
    """The superblock says where the file ends."""
    head, _rest = peek(source)
    at = next(at for at in (0, 512, 1024, 2048, 4096, 8192) if head[at : at + 4] == b"\x89HDF")
    version = head[at + 8] if len(head) > at + 8 else 0
    wide, end = (head[at + 13 : at + 14], at + 40) if version < 2 else (head[at + 9 : at + 10], at + 28)
    if version == 1:
        end += 4
    if version > 3 or wide != b"\x08":
        return
    stated = int.from_bytes(head[end : end + 8], "little")
    if len(head) < end + 8 or stated > size:
        raise Fault("truncated_file", f"It says that it is {stated:,} bytes long; {size:,} are here.")
