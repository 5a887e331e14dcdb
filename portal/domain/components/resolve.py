"""Before anything is written: which object is known, what each refers to, and the text that will be stored."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select

from portal import clock, db, states
from portal.config import settings
from portal.domain.components import components, metadata_objects, xml_documents, xml_splitter
from portal.domain.components.metadata_objects import Facts, Item, Reference
from portal.domain.components.submission_batch import Batch
from portal.domain.files import species
from portal.domain.permissions import access, active_grants
from portal.messages import Message, say
from portal.models import Account, Component, Dataset, Editor

# How the stored comment of an object begins that waits for another: it is tried again when something new has loaded.
WAITS = "It refers to "


def find(batch: Batch) -> None:
    """Look up what each object updates, by accession or alias, and whether that may be."""
    center_id = batch.actor.center_id
    batch.shared = _shared(batch.actor)
    named = defaultdict(list)
    for item in batch.items:
        if item.alias and not item.accession:
            named[item.type].append(item.alias)
    aliases = {kind: components.by_alias(center_id, kind, listed) for kind, listed in named.items()}
    accessions = components.by_accession({item.accession for item in batch.items if item.accession})
    for item in batch.items:
        _know(batch, item, accessions if item.accession else aliases.get(item.type, {}))
    _find_home(batch)


def _shared(actor: Account) -> frozenset[int]:
    """Datasets of colleagues that somebody edits. Not those of other centers: an alias is known within its center."""
    query = select(Editor.dataset_id).join(Dataset, Dataset.id == Editor.dataset_id)
    here = query.where(Editor.account_id == actor.id, Dataset.center_id == actor.center_id)
    return frozenset(db.session.scalars(here))


def _know(batch: Batch, item: Item, rows: dict[str, Facts]) -> None:
    row = rows.get(item.accession or item.alias)
    theirs = row is not None and batch.actor.center_id != row.center_id and not batch.edits(row)
    if item.accession and (row is None or theirs or row.type != item.type):
        item.refusal = _not_yours(item)
        return
    if row is None:
        if batch.actions.of(item.type) == "MODIFY" and not item.again:
            text = "There is no {type} of this alias to modify. Send it with ADD."
            item.fault = item.fault or say("nothing_to_modify", text, type=item.type)
        return
    item.current, item.alias = row, item.alias or row.alias
    item.refusal = _no_update(batch, item.alias, row) or item.refusal


def _not_yours(item: Item) -> Message:
    text = "There is no {type} {accession} of yours."
    return say("object_unknown", text, type=item.type, accession=item.accession)


def _no_update(batch: Batch, alias: str, row: Row[*tuple[Any, ...]]) -> Message | None:
    """Why the component of this row is not replaced by what came under this alias, if it is not."""
    if alias != row.alias:
        text = "Its alias is “{alias}”, and an alias stands. Leave the accession out for a new object."
        return say("alias_stands", text, alias=row.alias)
    if not batch.edits(row):
        return say("object_of_colleague", "It belongs to a dataset of a colleague; only its submitter may change it.")
    if row.status == "withdrawn":
        text = "{accession} was withdrawn. Send it under a new alias."
        return say("alias_withdrawn", text, accession=row.accession)
    if row.dataset_state not in states.OPEN_DATASETS:
        text = "{dataset} is {state}; write to {contact} for a correction."
        dataset, state = row.dataset_accession, row.dataset_state
        return say("object_closed", text, dataset=dataset, state=state, contact=settings().contact)
    return None


def _find_home(batch: Batch) -> None:
    """The dataset that new objects go to: that of the SUBMISSION's alias, else that of what they come with or refer
    to, else a new one."""
    submission = batch.submission
    if submission is not None and submission.accession:
        row = components.by_accession([submission.accession]).get(submission.accession)
    elif submission is not None and submission.alias:
        row = components.by_alias(batch.actor.center_id, "SUBMISSION", [submission.alias]).get(submission.alias)
    else:
        batch.home = next((item.current.dataset_id for item in _kin(batch) if item.current is not None), None)
        return
    if row is None and submission.accession:
        batch.faults.append(_not_yours(submission))
    elif row is not None:
        _know(batch, submission, {row.accession: row, row.alias: row})
        if submission.refusal:
            batch.faults.append(submission.error)
        batch.home = row.dataset_id


def _kin(batch: Batch) -> Iterator[Item]:
    """What is known of a delivery, then what waited for something in it."""
    updates = [item for item in batch.items if item.current and not item.refusal]
    yield from (item for item in updates if not item.again)
    here = {(item.type, item.alias) for item in batch.sent_items}
    yield from (
        item
        for item in updates
        if item.again and here & {(reference.type, reference.name) for reference in item.references}
    )


def retry(batch: Batch) -> None:
    """What was kept red because something was missing comes along again."""
    query = (
        select(Component.type, Component.sent)
        .join(Dataset, Dataset.id == Component.dataset_id)
        .where(
            Component.state == states.ERROR,
            access.editable_by(batch.actor.id),
            Component.sent.is_not(None),
            Component.comment.startswith(WAITS),
            Dataset.state.in_(states.OPEN_DATASETS),
        )
        .limit(10_000)
    )
    sent = {(item.type, item.alias) for item in batch.items}
    for row in db.session.execute(query):
        item = metadata_objects.item(xml_splitter.cut(row.sent, name=row.type)[0], 0)
        item.again = True
        if item.alias and (item.type, item.alias) not in sent:
            batch.items.append(item)


def refer(batch: Batch) -> None:
    """Find what each object refers to, here or in this delivery. What cannot be found is a fault."""
    here = {(item.type, item.alias): item for item in batch.items if item.alias}
    here |= {(item.type, f"accession {item.accession}"): item for item in batch.items if item.accession}
    shelf, homes = _Shelf(batch), list[int]()
    for item in sorted(batch.items, key=lambda entry: metadata_objects.TYPES.index(entry.type)):
        for reference in item.references if item.is_good else ():
            mine = reference.center in ("", batch.center)
            key = f"accession {reference.accession}" if reference.accession else reference.name
            target = here.get((reference.type, key)) if mine or reference.accession else None
            if target is not None and target.is_good:
                item.targets.append(target)
                continue
            row = shelf.row(reference)
            if row is not None:
                item.targets.append(row)
                if not item.again and batch.edits(row):
                    homes += [row.dataset_id] if row.dataset_state in states.OPEN_DATASETS else []
            elif target is not None:
                text = WAITS + "{reference}, which could not be loaded. Mend that one, and this loads too."
                item.fault = say("reference_not_loaded", text, reference=reference.label)
            else:
                text = WAITS + "{reference}, which is not here. Send it, and this loads too."
                item.fault = say("reference_not_here", text, reference=reference.label)
    if batch.home is None and (batch.submission is None or not batch.submission.alias):
        batch.home = next(iter(homes), None)


class _Shelf:
    """What is referred to and came earlier, looked up at once."""

    def __init__(self, batch: Batch) -> None:
        self.actor = batch.actor
        references = [reference for item in batch.items if item.is_good for reference in item.references]
        self.by_accession = components.by_accession(
            {reference.accession for reference in references if reference.accession}
        )
        self.by_name: dict[tuple[str, str], dict[str, Facts]] = {}
        names = defaultdict(set)
        for reference in references:
            if not reference.accession:
                names[reference.type, reference.center if reference.center != batch.center else ""].add(reference.name)
        for (kind, center), listed in names.items():
            center_id = components.center_named(center) if center else batch.actor.center_id
            if center_id is not None:
                self.by_name[kind, center] = components.by_alias(center_id, kind, listed)
        self.own = batch.center

    def row(self, reference: Reference) -> Facts | None:
        """The facts of a component that loaded once and that the actor may know of."""
        if reference.accession:
            row = self.by_accession.get(reference.accession)
        else:
            center = reference.center if reference.center != self.own else ""
            row = self.by_name.get((reference.type, center), {}).get(reference.name)
        if row is None or row.type != reference.type or row.accession is None or row.status == "withdrawn":
            return None
        return row if row.center_id == self.actor.center_id or row.dataset_state in active_grants.PUBLIC else None


def wanting(batch: Batch) -> dict[str, int]:
    """How many accessions of each type are to be taken."""
    return dict(Counter(item.type for item in batch.good if not (item.current and item.current.accession)))


def annotate(batch: Batch, fresh: dict[str, Iterator[str]]) -> None:
    """The text that is stored: with accession, alias, center, and the accessions of what it refers to."""
    for item in batch.good:
        item.accession = (item.current.accession if item.current else None) or next(fresh[item.type])
        item.alias = item.alias or item.accession
    for item in batch.good:
        element = xml_documents.parse(item.sent)
        for name, value in (("accession", item.accession), ("alias", item.alias), ("center_name", batch.center)):
            element.set(name, value)
        for (node, _reference), target in zip(metadata_objects.references(element), item.targets, strict=True):
            node.set("accession", target.accession)
        item.xml = xml_documents.canonical(element)
        item.md5 = xml_documents.md5(item.xml)
    for item in batch.items:
        item.alias = item.alias or f"(no alias, {_moment()}, no. {item.position})"


def _moment() -> str:
    return datetime.fromtimestamp(clock.now() / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def project(batch: Batch) -> None:
    """What the dataset says of itself, from the objects that say it."""
    good = batch.good or batch.items
    submission = batch.submission
    study = next((item for item in good if item.type == "STUDY"), None)
    telling = [source for source in (submission, study, *good[:1]) if source is not None]
    title = next((source.title for source in telling if source.title), "") or next(
        (source.alias for source in telling), ""
    )
    sources = [
        source
        for source in (study, submission, *(item for item in good if item.type == "ANALYSIS"))
        if source is not None
    ]
    description = next((text for text in (source.text for source in sources) if text), "") or title
    batch.says_title = any(source.title for source in (submission, study) if source is not None)
    batch.says_text = any(source.text for source in (submission, study) if source is not None)
    batch.fields = {"title": title, "description": description, "species": _species(batch)}


def _species(batch: Batch) -> str:
    species_named = {item.species for item in batch.good if item.species}
    if not species_named:
        ids = {target.dataset_id for item in batch.good for target in item.targets if not isinstance(target, Item)}
        species_named = set(
            db.session.scalars(select(Dataset.species).where(Dataset.id.in_(ids), Dataset.species != ""))
        )
    return next(iter(species_named)) if len(species_named) == 1 else species.MIXED if species_named else ""
