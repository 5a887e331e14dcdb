"""The canonical MD5 against the real xmllint and md5sum, and the command that prints it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from portal import cli
from portal.domain.components import metamd5
from tests.components.documents import Writer
from tests.plugins.clients import needs

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
SCRIPT = Path(metamd5.__file__)
SET = """<?xml version="1.0" encoding="UTF-8"?>
<SAMPLE_SET xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <SAMPLE accession="OMIXS000001" alias="a">
    <TITLE>Nière &amp; <![CDATA[<x>]]></TITLE><!-- kept -->
  </SAMPLE>
  <SAMPLE alias="none yet"/>
  <SAMPLE accession="OMIXS000002" alias="b" xmlns:xsi="urn:own"/>
</SAMPLE_SET>
"""


def well_formed(text: bytes) -> bool:
    try:
        metamd5.chunks(text)
        etree.fromstring(text)
    except (metamd5.Unreadable, etree.XMLSyntaxError):
        return False
    return True


def by_xmllint(folder: Path, documents: list[bytes]) -> list[bytes]:
    """Each document in a file by itself, through one process."""
    names = []
    for number, text in enumerate(documents):
        names.append(f"{number}.xml")
        (folder / names[-1]).write_bytes(text)
    done = subprocess.run(["xmllint", "--noblanks", "--encode", "UTF-8", *names], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr[:2000]
    return [part.removesuffix(b"\n") for part in done.stdout.split(DECLARATION)[1:]]


def by_md5sum(folder: Path, canonical: list[bytes]) -> list[str]:
    for number, text in enumerate(canonical):
        (folder / f"{number}.canonical").write_bytes(text)
    names = [f"{number}.canonical" for number in range(len(canonical))]
    done = subprocess.run(["md5sum", "-b", *names], cwd=folder, capture_output=True, text=True, check=True)
    return [line.split()[0] for line in done.stdout.splitlines()]


@needs("xmllint", "md5sum")
@pytest.mark.parametrize("seed", range(4))
def test_digest_is_that_of_xmllint_and_md5sum(seed, tmp_path):
    writer = Writer(seed)
    documents = [text for text in (writer.document() for _ in range(1000)) if well_formed(text)]
    assert len(documents) > 800
    canonical = by_xmllint(tmp_path, documents)
    for text, expected in zip(documents, canonical, strict=True):
        assert metamd5.canonical(text.decode()) == expected, text
    found = [metamd5.digests(text) for text in documents]
    assert found == [[("OMIXS000001", digest)] for digest in by_md5sum(tmp_path, canonical)]


@needs("xmllint")
def test_objects_of_a_set_are_digested_as_if_alone(tmp_path):
    alone = [
        b'<SAMPLE xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" accession="OMIXS000001" alias="a">\n'
        b"<TITLE>Ni\xc3\xa8re &amp; <![CDATA[<x>]]></TITLE><!-- kept -->\n</SAMPLE>",
        b'<SAMPLE accession="OMIXS000002" alias="b" xmlns:xsi="urn:own"/>',
    ]
    expected = [metamd5.md5(text) for text in by_xmllint(tmp_path, alone)]
    assert metamd5.digests(SET.encode()) == list(zip(("OMIXS000001", "OMIXS000002"), expected, strict=True))


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "UTF-8"])
def test_encoding_of_the_document_does_not_matter(encoding):
    text = SET.replace('encoding="UTF-8"', f'encoding="{encoding}"')
    assert metamd5.digests(text.encode(encoding)) == metamd5.digests(SET.encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no xml",
        b"<SAMPLE accession='x'>",
        b"<!DOCTYPE a><a/>",
        b"<a>\xff</a>",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
    ],
)
def test_what_is_no_document_is_named(text):
    with pytest.raises(metamd5.Unreadable, match=r"it (is|has)"):
        metamd5.digests(text)


def test_command_takes_a_path_a_list_and_standard_input(tmp_path, capsys):
    first, second = tmp_path / "a.xml", tmp_path / "b.xml"
    first.write_text(SET)
    second.write_text('<STUDY accession="OMIXP000001" alias="s"/>')
    listed = tmp_path / "list"
    listed.write_text(f"{first}\n{second}\n")
    assert cli.main(["metamd5", str(first), str(second)]) == 0
    by_path = capsys.readouterr().out
    assert re.fullmatch(r"(OMIX[SP]00000\d\t[0-9a-f]{32}\n){3}", by_path)
    assert cli.main(["metamd5", str(listed)]) == 0
    assert capsys.readouterr().out == by_path
    # The same file works for people without the portal: nothing but the interpreter, paths on standard input.
    done = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT],
        input=listed.read_text(),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
    )
    assert (done.stdout, done.stderr, done.returncode) == (by_path, "", 0)


def test_command_goes_on_behind_a_bad_document(tmp_path, capsys):
    (tmp_path / "bad.xml").write_text("<a>")
    (tmp_path / "good.xml").write_text('<STUDY accession="OMIXP000001" alias="s"/>')
    assert cli.main(["metamd5", str(tmp_path / "bad.xml"), str(tmp_path / "good.xml")]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("OMIXP000001\t")
    assert "bad.xml: it is no well-formed XML" in told.err
