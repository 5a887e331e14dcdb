"""Metadata objects as they come in XML: what each is called, refers to and names, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from sqlalchemy import Row

from portal import errors
from portal.domain.components import xml_documents, xml_splitter
from portal.domain.components.xml_splitter import Piece
from portal.domain.files import files, species
from portal.domain.shared import sizes, text_rules
from portal.messages import Message, joined, say

TYPES = ("STUDY", "SAMPLE", "EXPERIMENT", "RUN", "ANALYSIS")
ALL = xml_splitter.ALL
# The letter behind the site's prefix.
LETTERS = {"STUDY": "P", "SAMPLE": "S", "EXPERIMENT": "X", "RUN": "R", "ANALYSIS": "Z"}
REFERENCES = {
    "STUDY_REF": "STUDY",
    "SAMPLE_REF": "SAMPLE",
    "SAMPLE_DESCRIPTOR": "SAMPLE",
    "MEMBER": "SAMPLE",
    "EXPERIMENT_REF": "EXPERIMENT",
    "RUN_REF": "RUN",
    "ANALYSIS_REF": "ANALYSIS",
}
NEEDED = {"EXPERIMENT": ("STUDY", "SAMPLE"), "RUN": ("EXPERIMENT",)}
TITLES = {"STUDY": "DESCRIPTOR/STUDY_TITLE"}
ABSTRACTS = {
    "STUDY": ("DESCRIPTOR/STUDY_ABSTRACT", "DESCRIPTOR/STUDY_DESCRIPTION"),
    "SUBMISSION": ("DESCRIPTION",),
    "ANALYSIS": ("DESCRIPTION",),
}
LONGEST_ALIAS = 500
LARGEST = 1 << 20


def _by_alias(kind: str, alias: str) -> Message:
    return say("object_by_alias", "{type} “{alias}”", type=kind, alias=alias)


@dataclass(frozen=True)
class Reference:
    """What an object says it belongs to: an accession, or a name in a center."""

    type: str
    accession: str
    name: str
    center: str

    @property
    def label(self) -> Message:
        """What messages call it."""
        if self.accession:
            return say("object_by_accession", "{type} {accession}", type=self.type, accession=self.accession)
        if self.center:
            text = "{type} “{name}” of {center}"
            return say("object_of_center", text, type=self.type, name=self.name, center=self.center)
        return _by_alias(self.type, self.name)


# Facts of a component that is here: the columns of components.FACTS.
Facts = Row[*tuple[Any, ...]]


@dataclass
class Item:
    """One object of a delivery. `fault`: why it cannot be loaded; it is kept and shown red. `refusal`: why nothing is
    done with it at all."""

    type: str
    position: int
    alias: str = ""
    accession: str = ""
    title: str = ""
    text: str = ""
    species: str = ""
    references: list[Reference] = field(default_factory=list)
    files: list[dict[str, str]] = field(default_factory=list)
    sent: bytes = b""
    fault: Message | None = None
    refusal: Message | None = None
    current: Facts | None = None  # the row it updates
    again: bool = False  # kept red earlier, tried once more
    xml: bytes = b""
    md5: str = ""
    targets: list["Item | Facts"] = field(default_factory=list)
    id: int = 0

    @property
    def label(self) -> Message:
        """What messages call it: its alias, or its place in the document."""
        if self.alias:
            return _by_alias(self.type, self.alias)
        return say("object_by_position", "{type} no. {position}", type=self.type, position=self.position)

    @property
    def reason(self) -> Message | None:
        """Why it is not loaded; nothing of one that is good."""
        return self.refusal or self.fault

    @property
    def is_good(self) -> bool:
        return self.reason is None

    @property
    def error(self) -> Message:
        """What the RECEIPT says of one that is not loaded: which it is, and why."""
        return say("object_refused", "{object}: {reason}", object=self.label, reason=self.reason)


def is_known(root: str) -> bool:
    """Whether a document that begins so is metadata."""
    return root in (*ALL, *xml_splitter.SETS, *xml_splitter.WRAPPERS)


def item(piece: Piece, position: int) -> Item:
    """Read one object; what is wrong with it stands in its fault. Its tree is let go."""
    made = Item(piece.type, position)
    try:
        made.alias = text_rules.line(piece.alias, longest=LONGEST_ALIAS)
        made.accession = text_rules.line(piece.accession, longest=50).upper()
        if len(piece.text) > LARGEST:
            raise errors.Invalid(say("object_too_large", "It is larger than {most}.", most=sizes.size(LARGEST)))
        element = xml_documents.parse(piece.text)
        made.sent = xml_documents.canonical(element)
        _read(made, element)
        _check(made)
    except errors.DomainError as error:
        made.fault = error.specific
    return made


def _read(made: Item, element: etree._Element) -> None:
    path = TITLES.get(made.type, "TITLE")
    made.title = xml_documents.text_of(element, path, longest=300) or text_rules.line(element.get("title"), longest=300)
    made.references = [reference for _one, reference in references(element)]
    if made.type == "SAMPLE":
        number = xml_documents.text_of(element, "SAMPLE_NAME/TAXON_ID", longest=20)
        made.species = species.name_of(number) or xml_documents.text_of(
            element, "SAMPLE_NAME/SCIENTIFIC_NAME", longest=200
        )
    elif made.type in ABSTRACTS:
        texts = (xml_documents.text_of(element, path, longest=5000) for path in ABSTRACTS[made.type])
        made.text = next((text for text in texts if text), "")
    if made.type in ("RUN", "ANALYSIS"):
        made.files = [_file(file) for file in element.iter("FILE")]


def _check(made: Item) -> None:
    missing = [
        kind for kind in NEEDED.get(made.type, ()) if kind not in {reference.type for reference in made.references}
    ]
    if missing:
        raise errors.Invalid(say("reference_missing", "It refers to no {missing}.", missing=" and no ".join(missing)))
    named = [row["name"] for row in made.files]
    twice = next((name for name in named if named.count(name) > 1), None) if len(named) < 1000 else None
    if twice:
        raise errors.Invalid(say("file_named_twice", "It names the file {name} twice.", name=twice))


def references(element: etree._Element) -> Iterator[tuple[etree._Element, Reference]]:
    """Each place that refers to another object, and what it says."""
    for node in element.iter(*REFERENCES):
        accession, name = node.get("accession") or "", node.get("refname") or ""
        center = node.get("refcenter") or ""
        if not accession and not name:
            accession = xml_documents.text_of(node, "IDENTIFIERS/PRIMARY_ID", longest=50)
            name = xml_documents.text_of(node, "IDENTIFIERS/SUBMITTER_ID", longest=LONGEST_ALIAS)
            submitter = node.find("IDENTIFIERS/SUBMITTER_ID")
            center = submitter.get("namespace", "") if submitter is not None else ""
        if accession or name:
            alias = text_rules.line(name, longest=LONGEST_ALIAS)
            yield node, Reference(REFERENCES[node.tag], accession.strip().upper()[:50], alias, center.strip()[:200])


def _file(node: etree._Element) -> dict[str, str]:
    """A file that a RUN or ANALYSIS names. Its checksum is needed: the bytes come another way."""
    name, digest = node.get("filename") or "", node.get("checksum") or ""
    method = (node.get("checksum_method") or "MD5").upper()
    if method != "MD5":
        raise errors.Invalid(
            say(
                "checksum_method_unknown",
                "The checksum of {name} is a {method}; give its MD5.",
                name=name[:200],
                method=method[:20],
            )
        )
    if not digest.strip():
        raise errors.Invalid(say("checksum_missing", "The file {name} has no checksum. Give its MD5.", name=name[:200]))
    row = {"name": name, "md5": digest, "data_type": (node.get("filetype") or "")[:100]}
    values, faults = files.check(row)
    if faults:
        raise errors.Invalid(
            say(
                "file_of_object_faulty",
                "The file {name}: {faults}",
                name=name[:200],
                faults=joined("faults", [*faults.values()]),
            )
        )
    return {"name": values["name"], "md5": values["declared_md5"], "data_type": values["data_type"]}
