"""The type is told by the bytes, whatever the name."""

import gzip
import os
import struct

import pytest

from portal.inspection import TYPES
from portal.inspection.file_types import shown
from tests.inspection import files
from tests.inspection.files import found, look

FILES = [
    ("BAM", files.bgzf(files.bam())),
    ("BZIP2", b"BZh91AY&SY"),
    ("DATA", os.urandom(1000)),
    ("DATA", b"\xfd7zXZ\0\0\4"),
    ("EMPTY", b""),
    ("FASTQ", files.READS),
    ("FASTQ", b"@long\n" + b"ACGT" * 50_000),
    ("FLI", struct.pack("<IH", 200, 0xAF11).ljust(200, b"\0")),
    ("GZ", gzip.compress(b"x")),
    ("HDF5", files.hdf5(2048)),
    ("HDF5", bytes(512) + files.hdf5(9)),
    ("HTML", b"<!DOCTYPE html>\n<html>"),
    ("HTML", b"<?xml version='1.0'?><html>"),
    ("HTML", b"  <!-- a --><!-- b --><HTML lang=en>"),
    ("MSOFFICE", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99)),
    ("MSOFFICE", files.zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<y/>"})),
    ("RAR", files.RAR),
    ("DATA", files.ZST),
    ("SFF", files.sff()),
    ("SHELL", b"#!/bin/sh\necho\n"),
    ("SHORTCUT", b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0"),
    ("SHORTCUT", b"[InternetShortcut]\nURL=http://example.org\n"),
    ("SRF", files.srf(files.SRF_HEADER, files.SRF_READ)),
    ("SYSTEM", b"\0\0\0\1Bud1" + bytes(40)),
    ("SYSTEM", b"\x7fELF\2\1\1"),
    ("SYSTEM", b"MZ".ljust(60, b"\0") + b"\x40\0\0\0PE\0\0"),
    ("TAR", files.tar({"a": b"b"})),
    ("TEXT", b"gene\tcount\nA\t1\n"),
    ("TEXT", "Größe\n".encode()),
    ("TEXT", "Größe\n".encode("latin-1")),
    ("TEXT", "text".encode("utf-16")),
    ("TEXT", b"@HD\tVN:1.6\n@SQ\tSN:1\n"),
    ("TEXT", b"<note/>"),
    ("XSL", b"<?xml version='1.0'?><xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'/>"),
    ("ZIP", files.zipped({"a": b"b"})),
    ("ZIP", files.zipped({})),
]


@pytest.mark.parametrize(("kind", "data"), FILES, ids=[f"{row[0]}-{n}" for n, row in enumerate(FILES)])
def test_type_is_told_by_the_bytes(kind, data):
    assert found(data, "name.of.nothing")[0] == kind


def test_every_type_of_the_handbook_is_told():
    encrypted = bytearray(files.zipped({"a.txt": b"text"}))
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(signature) + at] |= 1
    unknown = {member.file_type for member in look(bytes(encrypted)).members}

    assert {kind for kind, _data in FILES} | unknown == set(TYPES)


def test_word_that_is_none_of_the_handbooks_is_data():
    assert shown("XZ") == "DATA"
