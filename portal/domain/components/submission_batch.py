"""What one delivery of XML holds: its objects and actions, read before anything is looked up."""

from dataclasses import dataclass, field
from typing import NamedTuple

from portal import errors
from portal.domain.components import metadata_objects, submission_actions, xml_documents, xml_splitter
from portal.domain.components.metadata_objects import Facts, Item
from portal.domain.components.submission_actions import Actions
from portal.messages import Message, say
from portal.models import Account, Dataset

ORDER = {kind: at for at, kind in enumerate(metadata_objects.TYPES)}
NO_XML = say("no_xml", "There is no XML in this. Send at least one document.")
NOTHING_TO_DO = say("nothing_to_do", "There are no objects in this and no action has a target: nothing is to be done.")
TWICE = say("object_twice", "It is in this delivery twice. Give each object an alias of its own.")


class Document(NamedTuple):
    """One XML text as it came; `name` is what messages call it."""

    name: str
    data: bytes


@dataclass
class Batch:
    """The objects of a delivery with what became of each; `faults` concern all of it."""

    actor: Account
    center: str
    items: list[Item] = field(default_factory=list)
    submission: Item | None = None
    submission_name: str = ""
    actions: Actions = field(default_factory=Actions)
    faults: list[Message] = field(default_factory=list)
    infos: list[Message] = field(default_factory=list)
    dataset: Dataset | None = None
    home: int | None = None
    shared: frozenset[int] = frozenset()  # datasets of others that the actor edits
    # What the dataset says of itself, from the objects that say it.
    fields: dict[str, str] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    says_title: bool = False
    says_text: bool = False
    renamed: bool = False  # the SUBMISSION itself changed
    held: list[tuple[str, str, str | None]] = field(default_factory=list)

    def edits(self, row: Facts) -> bool:
        """Whether the actor edits the dataset that a component is of."""
        return row.account_id == self.actor.id or row.dataset_id in self.shared

    @property
    def good(self) -> list[Item]:
        return [item for item in self.items if item.is_good]

    @property
    def sent_items(self) -> list[Item]:
        """What the sender asked for; what was only tried once more is not theirs."""
        return [item for item in self.items if not item.again]

    @property
    def success(self) -> bool:
        return not self.faults and all(item.is_good for item in self.sent_items)


def read(documents: list[Document], *, actor: Account, action: str = "", hold: str = "") -> Batch:
    """Read every document. One that cannot be read is told of, the others are loaded; without actions nothing is."""
    batch = Batch(actor, actor.center.name)
    if not documents:
        batch.faults.append(NO_XML)
    for document in documents:
        try:
            _take(batch, document)
        except errors.DomainError as error:
            batch.faults.append(error.whole)
            if document.name.upper().startswith("SUBMISSION"):
                batch.items = []
                return batch
    batch.items.sort(key=lambda item: (ORDER[item.type], item.position))
    try:
        given = submission_actions.plain(action, hold) if action or batch.submission is None else None
        batch.actions = given or submission_actions.read(
            xml_documents.parse(batch.submission.sent) if batch.submission else None
        )
    except errors.DomainError as error:
        batch.faults.append(error.specific)
        batch.items = []
    if not batch.items and not batch.actions.targets and not batch.faults:
        batch.faults.append(NOTHING_TO_DO)
    _refuse_twins(batch)
    return batch


def _take(batch: Batch, document: Document) -> None:
    pieces = xml_splitter.cut(document.data, name=document.name)
    if len(batch.items) + len(pieces) > xml_splitter.MOST:
        raise errors.TooLarge(xml_splitter.TOO_MANY)
    for position, piece in enumerate(pieces, start=1):
        made = metadata_objects.item(piece, position)
        if made.type != "SUBMISSION":
            batch.items.append(made)
        elif batch.submission is not None:
            raise errors.Invalid(say("two_submissions", "There are two SUBMISSIONs in this. Send one at a time."))
        elif made.fault:
            raise errors.Invalid(
                say("submission_faulty", "{document}: {fault}", document=document.name, fault=made.fault)
            )
        else:
            batch.submission, batch.submission_name = made, document.name


def _refuse_twins(batch: Batch) -> None:
    seen: set[tuple[str, str]] = set()
    for item in batch.items:
        for key in ((item.type, item.alias), (item.type, f"accession {item.accession}")):
            if key[1] in ("", "accession "):
                continue
            if key in seen:
                item.refusal = TWICE
            seen.add(key)
