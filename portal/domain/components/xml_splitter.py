"""A document from outside is cut into its objects before any tree is built: memory is bounded by the largest object,
not by the document; DTDs are refused where they stand, entities and files never read."""

import re
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape

from portal import errors
from portal.domain.components import metamd5
from portal.domain.shared import sizes
from portal.messages import say

LARGEST = 128 << 20
DEEPEST = 100
MOST = 200_000
TOO_MANY = say("too_many_objects", "A delivery holds at most {most:,} objects. Send it in parts.", most=MOST)
MOST_ELEMENTS = 5_000_000
# Each object of a set is given the namespaces declared around it.
MOST_SPACES, SPACE_BYTES = 100, 10_000
ALL = ("SUBMISSION", "STUDY", "SAMPLE", "EXPERIMENT", "RUN", "ANALYSIS")
SETS = tuple(f"{kind}_SET" for kind in ALL)
WRAPPERS = ("WEBIN",)
ENDS = {kind: re.compile(rf"</{kind}\s*>".encode()) for kind in ALL}


class Piece(NamedTuple):
    """One object as it stands in its document, with the namespaces declared around it."""

    type: str
    alias: str
    accession: str
    text: bytes


def cut(data: bytes, *, name: str) -> list[Piece]:
    """The objects of a document: one by itself, a set of one type, or several sets. Raises Invalid or TooLarge."""
    if len(data) > LARGEST:
        raise errors.TooLarge(
            say(
                "document_too_large",
                "{name} is larger than {most}. Send it in parts.",
                name=name,
                most=sizes.size(LARGEST),
            )
        )
    try:
        plain = metamd5.decode(data).encode()
    except metamd5.Unreadable as error:
        raise errors.Invalid(
            say("document_unreadable", "{name} cannot be read: {error}.", name=name, error=str(error))
        ) from None
    return _Cutter(plain, name).run()


class _Cutter:
    """Walks once. Inside an object only the depth is counted."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name = data, name
        self.depth = self.elements = self.size = 0
        self.path: list[str] = []
        self.spaces: list[dict[str, bytes]] = [{}]
        self.begun: tuple[str, dict[str, str], int] | None = None
        self.pieces: list[Piece] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.outside()

    def run(self) -> list[Piece]:
        try:
            self.parser.Parse(self.data, True)
        except expat.ExpatError as error:
            words = expat.errors.messages.get(error.code, "not understood")
            raise errors.Invalid(
                say(
                    "document_not_well_formed",
                    "{name} is no well-formed XML: line {line}: {words}.",
                    name=self.name,
                    line=error.lineno,
                    words=words,
                )
            ) from None
        return self.pieces

    def refuse(self, *_words: object) -> None:
        raise errors.Invalid(
            say("document_has_dtd", "{name} has a DTD (DOCTYPE), which is not taken. Send it without.", name=self.name)
        )

    def outside(self) -> None:
        self.parser.ordered_attributes = False
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.leave

    def inside(self) -> None:
        self.parser.ordered_attributes = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.down, self.up

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.is_object(tag):
            if len(self.pieces) >= MOST:
                raise errors.TooLarge(TOO_MANY)
            self.begun = (tag, attributes, self.parser.CurrentByteIndex)
            self.depth = 1
            self.inside()
            return
        self.path.append(tag)
        self.spaces.append({**self.spaces[-1], **self.declared(attributes)})

    def declared(self, attributes: dict[str, str]) -> dict[str, bytes]:
        """The namespaces of what holds objects, each as it is put into one; none where the outer one ends."""
        own = {key: value for key, value in attributes.items() if key == "xmlns" or key.startswith("xmlns:")}
        if len(own) > MOST_SPACES or sum(len(key) + len(value) for key, value in own.items()) > SPACE_BYTES:
            raise errors.Invalid(
                say(
                    "too_many_namespaces",
                    "{name} declares more namespaces than {most} or {size:,} bytes.",
                    name=self.name,
                    most=MOST_SPACES,
                    size=SPACE_BYTES,
                )
            )
        return {
            key: f' {key}="{escape(value, {chr(34): "&quot;"})}"'.encode() if value else b""
            for key, value in own.items()
        }

    def is_object(self, tag: str) -> bool:
        """Whether an object begins here; else it is what holds some. Raises Invalid for anything else."""
        parent = self.path[-1] if self.path else ""
        if parent.endswith("_SET"):
            if tag != parent.removesuffix("_SET"):
                raise errors.Invalid(
                    say(
                        "element_misplaced",
                        "{name} has a {tag} in its {parent}.",
                        name=self.name,
                        tag=tag[:80],
                        parent=parent,
                    )
                )
            return True
        if tag in ALL:
            return True
        if tag in SETS or (tag in WRAPPERS and not parent):
            return False
        kinds = ", ".join(ALL)
        raise errors.Invalid(
            say(
                "root_unknown",
                "{name} begins with {tag}. It is one of {kinds}, or a set, such as SAMPLE_SET.",
                name=self.name,
                tag=tag[:80],
                kinds=kinds,
            )
        )

    def leave(self, _tag: str) -> None:
        self.path.pop()
        self.spaces.pop()

    def down(self, _tag: str, _attributes: list[str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            raise errors.TooLarge(
                say(
                    "too_many_elements",
                    "{name} has more than {most:,} elements. Send it in parts.",
                    name=self.name,
                    most=MOST_ELEMENTS,
                )
            )
        if self.depth > DEEPEST:
            line = self.parser.CurrentLineNumber
            raise errors.Invalid(
                say(
                    "nested_too_deep",
                    "{name}: line {line}: more than {deepest} elements are nested. That is too deep.",
                    name=self.name,
                    line=line,
                    deepest=DEEPEST,
                )
            )

    def up(self, _tag: str) -> None:
        self.depth -= 1
        if self.depth:
            return
        assert self.begun is not None
        kind, attributes, first = self.begun
        at = self.parser.CurrentByteIndex
        closing = ENDS[kind].match(self.data, at)  # none behind an empty element, which ends with its tag
        text = self.complete(self.data[first : closing.end() if closing else at], kind, attributes)
        self.size += len(text)
        if self.size > LARGEST:
            raise errors.TooLarge(
                say(
                    "namespaces_too_large",
                    "{name} is larger than {most} with its namespaces in each object.",
                    name=self.name,
                    most=sizes.size(LARGEST),
                )
            )
        self.pieces.append(Piece(kind, attributes.get("alias", ""), attributes.get("accession", ""), text))
        self.outside()

    def complete(self, text: bytes, kind: str, attributes: dict[str, str]) -> bytes:
        added = b"".join(space for key, space in self.spaces[-1].items() if key not in attributes)
        head = 1 + len(kind.encode())
        return text[:head] + added + text[head:] if added else text
