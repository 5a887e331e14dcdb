"""Bombs, quines, nests and crowds end at bounds, with little work and memory, and are said to be unchecked."""

import bz2
import functools
import gzip
import io
import itertools
import os
import subprocess
import sys
import tracemalloc
import zipfile
import zlib

import pytest

from portal.config import ROOT
from portal.inspection import Bounds
from tests.counting import calls
from tests.inspection import files
from tests.inspection.files import look

MIB = 1 << 20
COUNT = 5_000


@functools.cache
def zeros_gz(mib: int) -> bytes:
    stream, out = zlib.compressobj(9, zlib.DEFLATED, 31), io.BytesIO()
    for _ in range(mib):
        out.write(stream.compress(bytes(MIB)))
    return out.getvalue() + stream.flush()


def bomb() -> bytes:
    return zeros_gz(600)


@functools.cache
def bz2_bomb() -> bytes:
    return bz2.compress(bytes(300 * MIB))


@functools.cache
def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as writer:
        for n in range(8):
            with writer.open(f"{n}.txt", "w") as member:
                for _ in range(60):
                    member.write(bytes(MIB))
    return out.getvalue()


# Made by the first test that asks: making them takes seconds, and every worker reads this file.
BOMBS = {"a.gz": bomb, "a.bz2": bz2_bomb, "a.zip": zip_bomb}


@pytest.mark.full
@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_ended_with_little_work_and_memory(name):
    data = BOMBS[name]()
    tracemalloc.start()
    try:
        with calls() as called:
            report = look(data, name)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert report.error is None
    assert "unpacks to more than 100 times its size" in report.unchecked
    assert peak < 32 * MIB
    assert called[0] < 20_000


def test_bomb_in_a_package_leaves_its_neighbours_checked():
    report = look(files.tar({"a.txt": b"text", "bomb.gz": bomb(), "c.gz": gzip.compress(b"text")[:-3]}))

    assert [(one.name, one.error) for one in report.members] == [
        ("a.txt", None),
        ("bomb.gz", None),
        ("c.gz", "gunzip_error"),
    ]
    assert report.unchecked.startswith("bomb.gz: It unpacks to more than")


def test_sparse_data_below_the_free_part_are_checked():
    assert look(zeros_gz(60), "a.gz").unchecked == ""


def test_package_in_a_package_is_not_opened():
    """A zip that holds itself ends at its first level, as a nest of forty-two does."""
    nest = files.zipped({"deep.zip": files.zipped({"deeper.zip": files.zipped({"a": b"b"})})})
    report = look(nest, "quine.zip")

    assert [(one.name, one.file_type) for one in report.members] == [("deep.zip", "ZIP")]
    assert (report.error, report.unchecked) == (None, "")
    assert look(gzip.compress(gzip.compress(gzip.compress(b"x"))), "r.gz").error is None


# The first 68 bytes unpack to the whole again: a gzip that contains itself (Russ Cox, 2010), cut to one level here.
def test_stream_within_a_stream_is_read_once():
    inner = gzip.compress(os.urandom(1000))
    assert look(gzip.compress(inner[:-9]), "quine.gz").error is None


def test_crowd_of_members_is_not_listed():
    crowd = files.tar({f"{n}.txt": b"" for n in range(60)})
    report = look(crowd, "a.tar", bounds=Bounds(members=50))
    zipped = look(files.zipped({f"{n}.txt": b"" for n in range(60)}), "a.zip", bounds=Bounds(members=50))

    assert (report.members, zipped.members) == ([], [])
    assert report.unchecked == zipped.unchecked == "It holds more than 50 members, which are not listed."


def test_many_members_are_listed_with_bounded_work_and_memory():
    block = files.tar({"000000.txt": b"x"})[:1024]
    parts = []
    for n in range(COUNT):
        header = bytearray(block[:512])
        header[:6] = b"%06d" % n
        header[148:156] = b"        "
        header[148:156] = b"%06o\0 " % sum(header)
        parts.append(bytes(header) + block[512:])
    data = b"".join(parts) + bytes(1024)
    tracemalloc.start()
    with calls() as called:
        report = look(data, "a.tar")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(report.members) == COUNT
    assert (report.error, report.unchecked) == (None, "")
    assert peak < COUNT * 1000
    assert called[0] < COUNT * 300


def test_line_of_ten_megabytes_is_bounded():
    line = b"A" * (10 * MIB)
    for data, kind in (
        (line, "TEXT"),
        (b"@" + line, "TEXT"),
        (b"@r\n" + line + b"\n+\n" + line + b"\n", "FASTQ"),
        (b"<" + line, "TEXT"),
        (b"<!--" * (2 * MIB), "TEXT"),
        (b"<?xml " + b"<!-- -->" * MIB, "TEXT"),
    ):
        tracemalloc.start()
        with calls() as called:
            report = look(data, "a.txt")
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert report.file_type == kind
        assert called[0] < 5_000
        assert peak < 32 * MIB


def test_work_that_takes_too_long_is_ended():
    report = look(gzip.compress(os.urandom(4 * MIB)), "a.gz", bounds=Bounds(seconds=-10.0))

    assert (report.error, report.unchecked.startswith("Checking it took too long")) == (None, True)


def test_streams_without_content_are_ended_too(monkeypatch):
    looked = itertools.count()  # the clock goes on by a step each time that it is asked
    monkeypatch.setattr("portal.inspection.limits.time.thread_time", lambda: next(looked) * 0.0001)
    many = gzip.compress(b"") * 20_000
    report = look(many, "a.gz", bounds=Bounds(seconds=0.01, pace=1 << 40))

    assert report.unchecked.startswith("Checking it took too long")


def test_header_that_claims_gigabytes_takes_no_memory():
    member = tarfile_header(b"x", size=8 << 30)
    tracemalloc.start()
    report = look(member + b"short", "a.tar")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert report.error == "tar_error"
    assert peak < 32 * MIB


def tarfile_header(kind: bytes, *, size: int) -> bytes:
    header = bytearray(files.tar({"a": b""})[:512])
    header[124:136] = b"\x80" + size.to_bytes(11, "big")
    header[156:157] = kind
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


SCRIPT = """
import os, re, resource, sys
from portal import inspection
def peak():  # of this program alone: getrusage counts what the process that started it had taken
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
before = peak()
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
for path in sys.argv[1:]:
    handle = os.open(path, os.O_RDONLY)
    report = inspection.inspect(handle, name=path, size=os.fstat(handle).st_size)
    print(report.file_type, report.error, bool(report.unchecked))
print(before, peak())
"""


def test_bombs_stay_below_a_quarter_of_a_gigabyte_in_a_process_of_their_own(tmp_path):
    paths = []
    bombs = {name: make() for name, make in BOMBS.items()}
    for name, data in (bombs | {"b.tar": files.tar({"bomb.gz": bomb()})}).items():
        (tmp_path / name).write_bytes(data)
        paths.append(str(tmp_path / name))
    child = subprocess.run([sys.executable, "-c", SCRIPT, *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    *told, memory = child.stdout.splitlines()
    before, peak = (int(kib) for kib in memory.split())

    assert told == ["GZ None True", "BZIP2 None True", "ZIP None True", "TAR None True"]
    assert peak - before < 128 << 10
    assert peak < 256 << 10


def test_headers_without_a_member_take_no_memory():
    record = b"".join(b"%d k%05d=%b\n" % (len(b"10 k00000=\n") + 90, n, b"v" * 89) for n in range(5000))
    header = tarfile_header(b"x", size=len(record)) + record + bytes(-len(record) % 512)
    data = header * 40 + bytes(1024)
    tracemalloc.start()
    report = look(data, "a.tar")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (report.error, report.members) == (None, [])
    assert peak < 8 * MIB
