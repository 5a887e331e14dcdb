"""Members of packages, as other programs made them: names of any length, links, folders, sparse, encrypted, large."""

import hashlib
import io
import struct
import subprocess
import tarfile
import zipfile

import pytest

from tests.inspection import files
from tests.inspection.files import READS, look
from tests.plugins.clients import needs

LONG = {"d/" * 60 + "x" * 120 + ".txt": b"1", "y" * 99: b"22", "größe.txt": b"333"}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_of_any_length_are_read(form):
    names = {name: data for name, data in LONG.items() if form != tarfile.USTAR_FORMAT or len(name) < 100}
    report = look(files.tar(names, form=form))

    assert [(member.name, member.size) for member in report.members] == [(n, len(d)) for n, d in names.items()]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_members_come_with_size_md5_and_type(mode):
    inner = files.zipped({"x": b"y"})
    report = look(files.tar({"a.fastq": READS, "b.zip": inner}, mode))

    assert [(member.name, member.size, member.md5, member.file_type) for member in report.members] == [
        ("a.fastq", len(READS), hashlib.md5(READS).hexdigest(), "FASTQ"),
        ("b.zip", len(inner), hashlib.md5(inner).hexdigest(), "ZIP"),
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_members_of_a_zip_come_with_size_md5_and_type(method):
    report = look(files.zipped({"a.fastq": READS, "d/": b"", "b.txt": b"text"}, method))

    assert [(member.name, member.size, member.md5, member.file_type) for member in report.members] == [
        ("a.fastq", len(READS), hashlib.md5(READS).hexdigest(), "FASTQ"),
        ("b.txt", 4, hashlib.md5(b"text").hexdigest(), "TEXT"),
    ]
    assert report.error is None


def test_zip_of_large_numbers_and_of_a_stream_is_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as writer:
        with writer.open("a.txt", "w", force_zip64=True) as member:
            member.write(b"text" * 100)
        writer.comment = b"with a comment PK\5\6"
    assert [member.size for member in look(out.getvalue()).members] == [400]

    class Pipe(io.RawIOBase):
        written = b""

        def writable(self):
            return True

        def write(self, data):
            self.written += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a.txt", b"text" * 100)
    assert [(one.size, one.error) for one in look(pipe.written).members] == [(400, None)]


@needs("tar")
def test_tar_of_gnu_with_links_folders_and_holes(tmp_path):
    (tmp_path / "in" / "folder").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_bytes(b"text")
    (tmp_path / "in" / "link").symlink_to("/etc/passwd")
    (tmp_path / "in" / "hard").hardlink_to(tmp_path / "in" / "a.txt")
    with (tmp_path / "in" / "holes").open("wb") as writer:
        writer.seek(1 << 20)
        writer.write(b"end")
    for words in (["--format=gnu"], ["--format=posix"]):
        subprocess.run(["tar", "-cS", *words, "-f", "out.tar", "--sort=name", "in"], cwd=tmp_path, check=True)
        report = look((tmp_path / "out.tar").read_bytes(), "out.tar")

        listed = {member.name: (member.size, member.md5 is None) for member in report.members}
        assert (report.error, report.cause) == (None, "")
        assert listed == {"in/a.txt": (4, False), "in/holes": ((1 << 20) + 3, True)}
        assert "1 member could not be read" in report.unchecked


def test_encrypted_member_is_unchecked():
    data = bytearray(files.zipped({"a.txt": b"text", "b.txt": b"more"}))
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + at] |= 1
    report = look(bytes(data))

    assert [(member.name, member.file_type, member.md5 is None) for member in report.members] == [
        ("a.txt", "UNKNOWN", True),
        ("b.txt", "TEXT", False),
    ]
    assert (report.error, "1 member" in report.unchecked) == (None, True)


def test_names_that_would_climb_or_steer_are_only_shown():
    report = look(files.tar({"../../etc/passwd": b"1", "/abs": b"2", "a\nb\x1b[2J\u202egz.exe": b"3"}))

    assert [member.name for member in report.members] == ["../../etc/passwd", "/abs", "a?b?[2J?gz.exe"]


def test_document_of_an_office_is_tested_and_not_listed():
    data = files.zipped({"[Content_Types].xml": b"<x/>" * 50, "xl/workbook.xml": b"<y/>" * 50})
    assert (look(data, "a.xlsx").error, look(data, "a.xlsx").members) == (None, [])

    assert look(data[:-30], "a.xlsx").error == "unzip_error"


def test_zip_whose_members_share_bytes_is_refused():
    data = bytearray(files.zipped({"a.txt": b"a" * 500, "b.txt": b"b" * 500}))
    second = data.rindex(b"PK\1\2")
    struct.pack_into("<I", data, second + 42, 0)

    assert look(bytes(data)).cause == "Members of the zip lie over each other."


def test_member_of_another_length_than_its_directory_says_is_faulty():
    data = bytearray(files.zipped({"a.txt": b"a" * 500}))
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, 499)

    assert look(bytes(data)).members[0].error == "unzip_error"
