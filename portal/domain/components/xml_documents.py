"""Objects as XML: parsed with entities, DTDs and the network off; and the canonical bytes that are stored."""

import hashlib
import re
from contextlib import suppress
from xml.parsers import expat

from lxml import etree

from portal import errors
from portal.domain.components import metamd5
from portal.messages import Message, say

UNSETTLED = re.compile(rb">\s+<")
LIMIT = re.compile(r"limit|huge|too long|too deep|depth", re.I)
# Characters that XML 1.0 lets through but no tab file or page should carry.
CONTROLS = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")


class _Seen(Exception):
    """The first element was reached: what stands before it is known."""


def parse(text: bytes) -> etree._Element:
    """The tree of one object, without layout. Raises Invalid with the reason."""
    try:
        root = etree.fromstring(text, _parser())
    except etree.XMLSyntaxError as error:
        raise errors.Invalid(
            say("object_not_well_formed", "It is no well-formed XML: {fault}.", fault=_parser_fault(error))
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise errors.Invalid(say("object_has_dtd", "It has a DTD."))
    return root


def root_of(data: bytes) -> str:
    """The name of the first element, or empty where there is none; nothing else is read."""
    probe, roots = expat.ParserCreate(), list[str]()

    def seen(name: str, *_words: object) -> None:
        roots.append(name)
        raise _Seen

    probe.StartElementHandler = seen
    with suppress(_Seen, expat.ExpatError, ValueError, LookupError):
        probe.Parse(data, True)
    return roots[0] if roots else ""


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        remove_blank_text=True,
        strip_cdata=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
    )


def _parser_fault(error: etree.XMLSyntaxError) -> Message:
    """What the parser said, with the line where it said one."""
    text = (error.msg or "not understood").partition("\n")[0][:200]
    if LIMIT.search(text):
        limits = "a text, name or value in it is longer than 10 MB, or its elements are nested too deep"
        return say("parser_limit", limits)
    line = error.position[0] if error.position else 0
    if "line " in text or not line:
        return say("parser_fault", "{fault}", fault=text)
    return say("parser_fault_at_line", "line {line}: {fault}", line=line, fault=text)


def text_of(element: etree._Element, path: str, *, longest: int = 2000) -> str:
    """The text at a path, on one line; empty where there is none."""
    node = element.find(path)
    words = " ".join("".join(node.itertext()).split()) if node is not None else ""
    return CONTROLS.sub("", words)[:longest]


def canonical(element: etree._Element) -> bytes:
    """The bytes that are stored and digested: written once, and the same again when any xmllint reads them."""
    data: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)
    while UNSETTLED.search(data):
        again = metamd5.canonical(_reread(data).decode())
        if again == data:
            break
        data = again
    return data


def _reread(data: bytes) -> bytes:
    root = etree.fromstring(data, _parser())
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return written


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
