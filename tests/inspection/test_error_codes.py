"""A file for each word of the handbook that an inspection can say, and whole files that give rise to none."""

import bz2
import gzip
import lzma

import pytest

from portal.inspection import ERRORS, is_hint, says
from portal.inspection.error_codes import plain
from tests.inspection import files
from tests.inspection.files import READS, SRF_HEADER, SRF_READ, found, look

TWO = {"a.txt": b"a" * 700, "b.txt": b"b" * 10}
ZIPPED = files.zipped(TWO)
TAR = files.short_tar(TWO)
WHOLE = {
    "a.fastq": READS,
    "a.fastq.gz": gzip.compress(READS),
    "b.bz2": bz2.compress(READS),
    "c.xz": lzma.compress(READS),
    "d.tar": files.tar(TWO),
    "e.tar.gz": files.tar(TWO, "w:gz"),
    "f.tar.bz2": files.tar(TWO, "w:bz2"),
    "g.tar.xz": files.tar(TWO, "w:xz"),
    "h.zip": ZIPPED,
    "i.bam": files.bgzf(files.bam()),
    "j.sff": files.sff(),
    "k.sff": files.sff(index=24),
    "l.srf": files.srf(SRF_HEADER, SRF_READ, SRF_READ),
    "m.h5": files.hdf5(2048),
    "two.gz": gzip.compress(READS) + gzip.compress(READS),
    "padded.gz": gzip.compress(READS) + bytes(512),
    "trimmed.fastq": READS + b"@r\n\n+\n\n",
    "crlf.fastq": READS.replace(b"\n", b"\r\n"),
    "trailing.fastq": READS + b"\n\n",
    "empty.tar": bytes(10240),
    "empty.zip": files.zipped({}),
    "n.rar": files.RAR,
    "o.rar": files.OLD_RAR,
    "p.zst": files.ZST + files.SKIPPED + files.ZST,
    "long.fastq": b"@long\n" + b"ACGT" * 400_000 + b"\n+\n" + b"F" * 1_600_000 + b"\n",
}
FAULTY = [
    ("empty_file", "a.txt", b""),
    ("truncated_file", "a.fastq", READS[:-30]),
    ("truncated_file", "a.fastq", READS[:-3]),
    ("truncated_file", "a.fastq.gz", gzip.compress(READS[:-30])),
    ("truncated_file", "a.bam", files.bgzf(files.bam(), end=b"")),
    ("truncated_file", "a.bam", files.bgzf(files.bam())[:-40]),
    ("truncated_file", "a.sff", files.sff()[:-8]),
    ("truncated_file", "a.srf", files.srf(SRF_HEADER, SRF_READ)[:-4]),
    ("truncated_file", "a.h5", files.hdf5(4096)),
    ("truncated_file", "a.xz", lzma.compress(READS)[:-20]),
    ("gunzip_error", "a.gz", gzip.compress(READS)[:-9]),
    ("gunzip_error", "a.gz", gzip.compress(READS)[:-8] + b"\0\0\0\0" + gzip.compress(READS)[-4:]),
    ("gunzip_error", "a.gz", gzip.compress(READS) + b"more"),
    ("gunzip_error", "a.gz", b"<html><body>404 Not Found</body></html>"),
    ("gunzip_error", "a.tar.gz", files.tar(TWO, "w:gz")[:-30]),
    ("bunzip2_error", "a.bz2", bz2.compress(READS)[:-9]),
    ("bunzip2_error", "a.bz2", bz2.compress(READS)[:60] + b"X" + bz2.compress(READS)[61:]),
    ("unzip_error", "a.zip", ZIPPED[:-9]),
    ("unzip_error", "a.zip", ZIPPED[: len(ZIPPED) // 2]),
    ("unzip_error", "a.zip", ZIPPED[:45] + b"X" + ZIPPED[46:]),
    ("unzip_error", "a.zip", ZIPPED.replace(b"a.txt", b"c.txt", 1)),
    ("tar_error", "a.tar", TAR[:800]),
    ("tar_error", "a.tar", TAR[:1700]),
    ("tar_error", "a.tar", TAR[:1536] + b"X" + TAR[1537:]),
    ("tar_error", "a.tar", b"no tar at all"),
    ("tar_missing_terminating_blocks", "a.tar", TAR[:-1024]),
    ("tar_missing_terminating_blocks", "a.tar", TAR[:-512]),
    ("tar_missing_terminating_blocks", "a.tar.gz", gzip.compress(TAR[:-1024])),
    ("repeated_file_in_archive", "a.tar", files.tar({"a.txt": b"1", "./a.txt": b"2"})),
    ("corrupt_file", "a.bam", files.bgzf(files.bam())[:40] + b"XX" + files.bgzf(files.bam())[42:]),
    ("corrupt_file", "a.sff", b".sff" + bytes(60)),
    ("corrupt_file", "a.xz", lzma.compress(READS)[:40] + b"XX" + lzma.compress(READS)[42:]),
    ("corrupt_file", "a.rar", files.RAR.replace(b"\2\2\6", b"\2\2\5")),
    ("corrupt_file", "a.rar", files.OLD_RAR[:15] + b"X" + files.OLD_RAR[16:]),
    ("truncated_file", "a.rar", files.OLD_RAR[:-10]),
    ("corrupt_file", "a.zst", files.ZST + b"more"),
    ("missing_read_data", "a.bam", files.bgzf(files.bam(reads=0))),
    ("missing_read_data", "a.bam", files.bgzf(files.bam(bases=0))),
    ("missing_read_data", "a.fastq", b"@r1\n\n+\n\n" * 50),
    ("missing_read_data", "a.fastq", b"\n\n"),
    ("missing_read_data", "a.fastq.gz", gzip.compress(b"")),
    ("missing_read_data", "a.sff", files.sff(reads=0)),
    ("missing_read_data", "a.srf", files.srf(SRF_HEADER)),
    ("bad_read_header_length", "a.sff", files.sff(header=40)),
    (f"bad_chunk_at_offset_{len(files.srf(SRF_HEADER))}", "a.srf", files.srf(SRF_HEADER, b"Qwhat is this")),
    (
        f"corrupt_at_offset_{len(files.srf(SRF_HEADER))}",
        "a.srf",
        files.srf(SRF_HEADER, files.srf_block(b"R", b"\0\x021a", length=3)),
    ),
]
# Said by the job, which knows other uploads and the disk, or by the archive.
ELSEWHERE = {
    "duplicate_to_upload_<n>",
    "file_changed_during_copy",
    "size_changed_during_copy",
    "upload_file_not_found",
    "copy_error",
    "failure_during_copy",
    "md5_mismatch",
}
BY_MEMBER = {"Duplicate"}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_file_has_no_fault(name):
    report = look(WHOLE[name], name)

    assert (report.error, report.cause, report.unchecked) == (None, "", "")


@pytest.mark.parametrize(("word", "name", "data"), FAULTY, ids=[f"{row[0]}-{n}" for n, row in enumerate(FAULTY)])
def test_faulty_file_is_told_by_its_word(word, name, data):
    report = look(data, name)

    assert report.error == word
    assert report.unchecked == ""


def test_every_word_has_a_file():
    assert {plain(word) for word, _name, _data in FAULTY} | ELSEWHERE | BY_MEMBER == set(ERRORS)


def test_every_word_says_cause_and_remedy():
    for word in ERRORS:
        said = says(word.replace("<n>", "7"))
        assert said.count(". ") >= 1 or said.count(": ") >= 1, word
        assert said.endswith(".")


def test_only_duplicates_are_no_fault():
    assert [word for word in ERRORS if is_hint(word.replace("<n>", "12"))] == ["duplicate_to_upload_<n>", "Duplicate"]


def test_member_with_the_bytes_of_another_is_told():
    report = look(files.tar({"a.txt": b"same", "b.txt": b"same", "c.txt": b"other", "d.txt": b""}))

    assert [member.error for member in report.members] == [None, "Duplicate", None, "empty_file"]
    assert report.error is None


@pytest.mark.parametrize("pack", [files.tar, files.zipped])
def test_faulty_member_is_told_with_its_package(pack):
    cut = gzip.compress(READS)[:-12]
    report = look(pack({"a.txt": b"text", "run/b.fastq.gz": cut, "c.txt": b"more"}))

    assert [member.error for member in report.members] == [None, "gunzip_error", None]
    assert report.error == "gunzip_error"
    assert "run/b.fastq.gz" in report.cause


def test_damaged_member_of_a_zip_leaves_the_others_checked():
    data = files.zipped({"a.txt": b"a" * 700, "b.txt": READS, "c.txt": b"c" * 10})
    at = data.index(b"b.txt") + 30
    report = look(data[:at] + b"\xff\xff" + data[at + 2 :])

    assert [(member.name, member.error) for member in report.members] == [
        ("a.txt", None),
        ("b.txt", "unzip_error"),
        ("c.txt", None),
    ]
    assert report.error == "unzip_error"


def test_name_that_promises_another_packed_kind_is_no_fault():
    assert found(files.tar(TWO, "w:gz"), "a.tar") == ("GZ", None)
