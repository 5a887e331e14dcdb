"""Wherever a packed file is cut off, that is told; and no damage makes the inspection itself fail."""

import bz2
import gzip
import lzma
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.inspection import files
from tests.inspection.files import look

TEXT = "".join(random.Random(1).choices("ACGT\n", k=900)).encode()
MEMBERS = {"a.txt": TEXT, "run/b.gz": gzip.compress(TEXT), "c.txt": b"c"}
PACKED = {
    "x.gz": gzip.compress(TEXT),
    "x.bz2": bz2.compress(TEXT),
    "x.xz": lzma.compress(TEXT),
    "x.zip": files.zipped(MEMBERS),
    "x.tar": files.short_tar(MEMBERS),
    "x.tar.gz": gzip.compress(files.short_tar(MEMBERS)),
    "x.rar": files.RAR,
    "x.zst": files.ZST,
    "x.bam": files.bgzf(files.bam(reads=8)),
    "x.sff": files.sff(),
    "nested.zip": files.zipped({"in.zip": files.zipped({"a": b"1"})}, method=0),
}


@pytest.mark.parametrize("name", PACKED)
def test_every_truncation_is_told(name):
    data = PACKED[name]
    assert look(data, name).error is None

    untold = [length for length in range(len(data)) if look(data[:length], name).error is None]

    assert untold == []


@pytest.mark.parametrize("name", ["x.gz", "x.bz2", "x.xz", "x.bam"])
def test_every_flipped_byte_of_the_content_is_told(name):
    data = PACKED[name]
    untold = []
    for at in range(18, len(data)):
        flipped = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        if look(flipped, name).error is None:
            untold.append(at)

    # A byte of a header that says nothing of the content may be any.
    assert len(untold) <= {"x.bam": 10 * data.count(b"\x1f\x8b")}.get(name, 1)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=some.sampled_from([*PACKED, "x.srf", "x.h5", "x.fastq"]),
    changes=some.lists(some.tuples(some.floats(0, 1), some.binary(min_size=1, max_size=9)), min_size=1, max_size=6),
    cut=some.floats(0.3, 1),
)
def test_damage_is_reported_and_never_raised(name, changes, cut):
    more = {"x.srf": files.srf(files.SRF_HEADER, files.SRF_READ), "x.h5": files.hdf5(2048), "x.fastq": files.READS}
    data = bytearray((PACKED | more)[name])
    for place, patch in changes:
        at = int(place * len(data))
        data[at : at + len(patch)] = patch

    report = look(bytes(data[: int(cut * len(data))]), name)

    assert report.file_type
