#!/usr/bin/env python3
"""Print `accession<TAB>md5` for every metadata object in XML files. One file, nothing else needed: Python 3.9 or newer.

usage: metamd5.py FILE.xml... | metamd5.py LIST_OF_PATHS | list of paths | metamd5.py

The digest is of the element that bears the accession, in a file by itself: blanks-only text removed as
`xmllint --noblanks` does, in UTF-8, without XML declaration and without a trailing line feed."""

from __future__ import annotations

import codecs
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from xml.parsers import expat

TYPES = ("SUBMISSION", "STUDY", "SAMPLE", "EXPERIMENT", "RUN", "ANALYSIS")
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
DECLARATION = re.compile(r"<\?xml\s[^>]*?\?>")
ENCODING = re.compile(rb"""^<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
TOKEN = re.compile(
    r"<!--(?P<comment>.*?)-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<\?(?P<target>[^\s?]+)(?P<space>\s*)(?P<data>.*?)\?>"
    r"|</(?P<end>[^\s>]+)\s*>|<(?P<start>[^\s/>]+)(?P<attributes>(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>"
    r"|(?P<reference>&[^;]+;)|(?P<text>[^<&]+)",
    re.S,
)
ATTRIBUTE = re.compile(r"""([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
REFERENCE = re.compile(r"&(?:#(\d+)|#x([0-9A-Fa-f]+)|(amp|lt|gt|quot|apos));")
# Where the fast way of libxml2 through text ends: a line ending of Windows, or what is not ASCII.
TURN = re.compile(r"\r\n|\r|[^\x00-\x7f]")
BLANK = " \t\n"
BUFFER = 300


class Unreadable(ValueError):
    """A document that is no XML, or one with a DTD; the sentence says what is wrong."""


def decode(data: bytes) -> str:
    """The text of a document, without its XML declaration."""
    for mark, encoding in MARKS:  # noqa: B007
        if data.startswith(mark):
            break
    else:
        declared = ENCODING.match(data)
        mark, encoding = b"", declared.group(1).decode() if declared else "utf-8"
    try:
        text = data[len(mark) :].decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise Unreadable(f"it is not in the encoding {encoding}: {error}") from error
    return DECLARATION.sub("", text, count=1) if text.startswith("<?xml") else text


class _Cutter:
    """Finds the elements that bear an accession: the objects themselves, not the references inside them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.objects: list[tuple[str, str]] = []
        self.depth = 0
        # The object that is open: accession, first byte, attributes, name, depth.
        self.begun: tuple[str, int, dict[str, str], str, int] | None = None
        self.spaces: list[dict[str, str]] = [{}]
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.refuse

    def run(self) -> list[tuple[str, str]]:
        try:
            self.parser.Parse(self.data, True)
        except expat.ExpatError as error:
            raise Unreadable(f"it is no well-formed XML: {error}") from error
        return self.objects

    def refuse(self, *_words: object) -> None:
        raise Unreadable("it has a DTD, which is not read")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.begun is not None:
            return
        if name in TYPES and attributes.get("accession"):
            self.begun = (attributes["accession"], self.parser.CurrentByteIndex, attributes, name, self.depth)
            return
        own = {key: value for key, value in attributes.items() if key == "xmlns" or key.startswith("xmlns:")}
        self.spaces.append({**self.spaces[-1], **own})

    def end(self, _name: str) -> None:
        self.depth -= 1
        if self.begun is None:
            self.spaces.pop()
        elif self.depth < self.begun[4]:
            accession, first, attributes, name, _depth = self.begun
            at = self.parser.CurrentByteIndex
            text = self.data[first:at].decode()
            head = TOKEN.match(text)
            if head is None or not head.group("empty"):
                text += self.data[at : self.data.index(b">", at) + 1].decode()
            missing = {key: value for key, value in self.spaces[-1].items() if key not in attributes and value}
            added = "".join(f' {key}="{_escape(value, True)}"' for key, value in missing.items())
            self.objects.append((accession, "<" + name + added + text[1 + len(name) :]))
            self.begun = None


def chunks(data: bytes) -> list[tuple[str, str]]:
    """(accession, text) of the objects of a document, each with the namespaces around it. Raises Unreadable."""
    return _Cutter(decode(data).encode()).run()


def _escape(text: str, quoted: bool = False) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;") if quoted else text


def _resolved(text: str) -> str:
    return REFERENCE.sub(lambda match: unescape(match.group()) if match.group(3) else _char(match), text)


def _char(match: re.Match[str]) -> str:
    return chr(int(match.group(1))) if match.group(1) else chr(int(match.group(2), 16))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Element:
    """An open element as libxml2 sees it. `space`: 1 preserve, 0 default, -1 unsaid, -2 unsaid and text was seen."""

    def __init__(self, name: str, space: int) -> None:
        self.name, self.space = name, space
        self.first: str | None = None
        self.last: str | None = None

    def add(self, kind: str) -> None:
        self.first, self.last = self.first or kind, kind

    def drops(self, text: str, following: str) -> bool:
        """Whether libxml2 takes a run of text for layout, given what follows it."""
        if self.space in (1, -2) or text.strip(BLANK) or following[:1] not in ("<", "\r"):
            return False
        if self.first is None and following[:2] == "</":
            return False
        return "text" not in (self.first, self.last)


class _Writer:
    """Writes an element anew, token by token."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.out: list[str] = []
        self.open: list[_Element] = []
        self.pending = False  # a start tag that may still become an empty one

    def run(self) -> bytes:
        at = 0
        while at < len(self.source):
            token = TOKEN.match(self.source, at)
            assert token is not None, "every character is part of a token"
            at = token.end()
            if token.group("text"):
                self.text(token.group("text"), self.source[at : at + 2])
            elif token.group("start"):
                self.start(token)
            elif token.group("end"):
                self.end()
            else:
                self.other(token)
        return "".join(self.out).encode()

    def put(self, text: str, kind: str) -> None:
        """Something inside the open element."""
        if self.pending:
            self.out.append(">")
            self.pending = False
        if self.open:
            self.open[-1].add(kind)
        self.out.append(text)

    def other(self, token: re.Match[str]) -> None:
        comment, cdata, target, space, data = token.group("comment", "cdata", "target", "space", "data")
        if comment is not None:
            self.put("<!--" + _lines(comment) + "-->", "other")
        elif target is not None:
            self.put("<?" + target + (" " + _lines(data) if space else "") + "?>", "other")
        elif cdata is None:
            self.put(_escape(_resolved(token.group())), "text")
        elif not self.pending and self.out and self.out[-1].startswith("<![CDATA["):
            self.out[-1] = self.out[-1][:-3] + _lines(cdata) + "]]>"  # libxml2 joins neighbours
        else:
            self.put("<![CDATA[" + _lines(cdata) + "]]>", "other")

    def start(self, token: re.Match[str]) -> None:
        name, spaces, others = token.group("start"), "", ""
        space = self.open[-1].space if self.open and self.open[-1].space != -2 else -1
        for key, quoted in ATTRIBUTE.findall(token.group("attributes")):
            value = _resolved(re.sub(r"[\t\n]", " ", _lines(quoted[1:-1])))
            written = f' {key}="{_escape(value, True)}"'
            if key == "xmlns" or key.startswith("xmlns:"):
                spaces += written
            else:
                others += written
            if key == "xml:space" and value in ("preserve", "default"):
                space = 1 if value == "preserve" else 0
        self.put("<" + name + spaces + others, "other")
        self.pending = True
        self.open.append(_Element(name, space))
        if token.group("empty"):
            self.end()

    def end(self) -> None:
        name = self.open.pop().name
        self.out.append("/>" if self.pending else "</" + name + ">")
        self.pending = False

    def text(self, run: str, following: str) -> None:
        """Text up to the next tag or reference, in the pieces in which libxml2 reads it."""
        at = 0
        for turn in TURN.finditer(run):
            self.piece(run[at : turn.start()], run[turn.start() :])
            at = turn.start()
            if turn.group() == "\r\n":
                at += 1
                if not TURN.match(run, at + 1):
                    continue
            self.rest(_lines(run[at:]), following)
            return
        self.piece(run[at:], following)

    def piece(self, text: str, following: str) -> None:
        """Plain text: only what begins with a blank is looked at."""
        if text and (text[0] not in BLANK or not self.is_layout(text, following)):
            self.put(_escape(text), "text")

    def rest(self, text: str, following: str) -> None:
        """Anything else, in portions of a buffer."""
        while text:
            size, end = 0, 0
            while end < len(text) and size < BUFFER:
                size += len(text[end].encode())
                end += 1
            portion, text = text[:end], text[end:]
            if not self.is_layout(portion, text[:2] or following):
                self.put(_escape(portion), "text")

    def is_layout(self, text: str, following: str) -> bool:
        element = self.open[-1]
        if element.drops(text, following):
            return True
        if element.space == -1:
            element.space = -2
        return False


def canonical(text: str) -> bytes:
    """The bytes that the digest is of, from the text of one element that is well-formed."""
    return _Writer(text).run()


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def digests(data: bytes) -> list[tuple[str, str]]:
    """(accession, MD5) of each object of a document. Raises Unreadable."""
    return [(accession, md5(canonical(text))) for accession, text in chunks(data)]


def paths(words: Sequence[str]) -> Iterator[str]:
    """An .xml file itself, any other file as a list of paths; without any, the list on standard input."""
    for word in words:
        if word.endswith(".xml"):
            yield word
        else:
            yield from (line.strip() for line in Path(word).read_text().splitlines() if line.strip())
    if not words:
        yield from (line.strip() for line in sys.stdin if line.strip())


def main(words: Sequence[str] | None = None) -> int:
    """Print every object of every document; what cannot be read is named, and the others are printed."""
    failed = 0
    for path in paths(sys.argv[1:] if words is None else words):
        try:
            for accession, digest in digests(Path(path).read_bytes()):
                print(f"{accession}\t{digest}")
        except (Unreadable, OSError) as error:
            failed += 1
            print(f"{path}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
