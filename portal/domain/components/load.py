"""One delivery written down: dataset, components, what they refer to and the files they name, in set-based statements.
The texts and digests were made before; nothing here parses."""

from collections import defaultdict
from typing import Any

from lxml import etree
from sqlalchemy import Row, select

from portal import db, errors, states
from portal.domain.components import components, xml_documents
from portal.domain.components.metadata_objects import Facts, Item
from portal.domain.components.submission_batch import Batch
from portal.domain.datasets import datasets, reviews
from portal.domain.files import accessions, bulk_edit, files
from portal.domain.permissions import access
from portal.domain.shared import history
from portal.messages import Message, joined, say
from portal.models import Account, Component, ComponentFile, ComponentRef, Dataset, File


class Raced(errors.Busy):
    """Another delivery of the same names came between: look up again."""


def load(batch: Batch) -> None:
    """Write a resolved batch, or a portion of one. Raises Raced when what was looked up no longer holds."""
    _check_race(batch)
    touched = _datasets(batch)
    _check_files(batch)
    _write(batch)
    if batch.dataset is not None:
        _name(batch)
    components.refer({item.id: {_id(target) for target in item.targets} for item in batch.good})
    for dataset in touched.values():
        _load_files(batch, dataset)
        _tell(batch, dataset)
    batch.touched |= set(touched)


def close(batch: Batch) -> None:
    """After the last portion: what is complete goes to the curators, and all say how they stand."""
    for dataset_id in sorted(batch.touched):
        dataset = db.session.get_one(Dataset, dataset_id)
        _hand_in(batch, dataset)
        components.recompute_states(dataset)


def _id(target: Item | Facts) -> int:
    return int(target.id)


def _check_race(batch: Batch) -> None:
    fresh = defaultdict(list)
    for item in batch.items:
        if item.current is None and item.alias and not item.refusal:
            fresh[item.type].append(item.alias)
    if any(components.by_alias(batch.actor.center_id, kind, listed) for kind, listed in fresh.items()):
        raise Raced()


def _datasets(batch: Batch) -> dict[int, Dataset]:
    """The datasets this concerns; made where new objects have no home yet."""
    kept = [item for item in batch.items if not item.refusal]
    if any(item.current is None for item in kept):
        if batch.home is None:
            access = "controlled" if batch.actions.protect else "open"
            title, description, species = (batch.fields.get(name, "") for name in ("title", "description", "species"))
            batch.dataset = datasets.create(
                actor=batch.actor,
                title=title,
                description=description,
                species=species,
                access=access,
                release_date=batch.actions.hold,
            )
        else:
            batch.dataset = db.session.get_one(Dataset, batch.home)
    elif batch.home is not None and kept:
        batch.dataset = db.session.get_one(Dataset, batch.home)
    ids = {item.current.dataset_id for item in kept if item.current}
    rows = {dataset_id: db.session.get_one(Dataset, dataset_id) for dataset_id in sorted(ids)}
    return rows | ({batch.dataset.id: batch.dataset} if batch.dataset is not None else {})


def _check_files(batch: Batch) -> None:
    """What a RUN or ANALYSIS names must agree with what is declared already."""
    by_dataset = defaultdict(list)
    for item in batch.good:
        if item.files:
            by_dataset[_home(batch, item)].append(item)
    for dataset_id, items in by_dataset.items():
        declared: dict[str, str] = {}
        there = declared_in(dataset_id, [row["name"] for item in items for row in item.files])
        for item in items:
            item.fault = next((fault for row in item.files if (fault := _disagrees(row, declared, there))), None)
            declared |= {} if item.fault else {row["name"]: row["md5"] for row in item.files}


def _disagrees(
    row: dict[str, str], declared: dict[str, str], there: dict[str, Row[*tuple[Any, ...]]]
) -> Message | None:
    name, declared_row = row["name"], there.get(row["name"])
    if declared.get(name, row["md5"]) != row["md5"]:
        return say("file_md5_twice", "The file {name} has another MD5 in another object of this delivery.", name=name)
    if declared_row is not None and declared_row.state == states.ARCHIVED and declared_row.md5 != row["md5"]:
        text = "The file {name} is archived with the MD5 {md5}. Send new bytes under a new name."
        return say("file_archived_otherwise", text, name=name, md5=declared_row.md5)
    return None


def _home(batch: Batch, item: Item) -> int:
    if item.current is not None:
        return int(item.current.dataset_id)
    assert batch.dataset is not None
    return batch.dataset.id


def declared_in(dataset_id: int, names: list[str]) -> dict[str, Row[*tuple[Any, ...]]]:
    """The living files of these names; of a file and its successor the successor."""
    rows: dict[str, Row[*tuple[Any, ...]]] = {}
    for part in components.portions(names):
        query = select(File.id, File.n, File.name, File.state, File.md5, File.declared_md5).where(
            File.dataset_id == dataset_id, File.state.not_in(states.DEAD_FILES), File.name.in_(part)
        )
        rows |= {row.name: row for row in db.session.execute(query.order_by(File.n))}
    return rows


def _write(batch: Batch) -> None:
    made = [item for item in batch.items if item.current is None and not item.refusal]
    ids = components.add([_row(item) | _place(batch) | {"type": item.type, "alias": item.alias} for item in made])
    for item in made:
        item.id = ids[item.type, item.alias]
    updated = [item for item in batch.items if item.current is not None]
    for item in updated:
        assert item.current is not None
        item.id = item.current.id
    components.receive([_row(item) | {"row": item.id} for item in updated if item.is_good and _differs(item)])
    components.refuse(
        [
            {"id": item.id, "why": _comment(item), "what": item.sent}
            for item in updated
            if item.fault and not item.refusal
        ]
    )


def _place(batch: Batch) -> dict[str, object]:
    dataset = batch.dataset
    return {"dataset_id": dataset.id, "center_id": dataset.center_id, "origin": "xml"} if dataset is not None else {}


def _differs(item: Item) -> bool:
    return bool(item.current is None or item.current.md5 != item.md5 or item.current.state == states.ERROR)


def _comment(item: Item) -> str:
    """The fault of an object as its component keeps it."""
    return str(item.fault or "")[:2000]


def _row(item: Item) -> dict[str, object]:
    good = item.is_good
    return {
        "state": states.RECEIVED if good else states.ERROR,
        "comment": _comment(item),
        "title": item.title,
        "sent": item.sent,
        "xml": item.xml if good else None,
        "md5": item.md5 if good else None,
        "accession": item.accession if good else None,
    }


def _name(batch: Batch) -> None:
    """The dataset as the component of type SUBMISSION, with its accession once something has loaded."""
    dataset, given = batch.dataset, batch.submission
    assert dataset is not None
    if batch.good:
        accessions.give(dataset)
    row = db.session.scalar(select(Component).where(Component.dataset_id == dataset.id, Component.type == "SUBMISSION"))
    alias = (given.alias if given else "") or (row.alias if row else "") or dataset.accession or ""
    if not alias or (row is not None and row.accession and not (given and given.alias)):
        return
    element = xml_documents.parse(given.sent) if given else etree.Element("SUBMISSION")
    if dataset.accession:
        element.set("accession", dataset.accession)
    element.set("alias", alias)
    element.set("center_name", batch.center)
    data = xml_documents.canonical(element)
    values = {
        "state": states.RECEIVED,
        "comment": "",
        "title": dataset.title,
        "sent": given.sent if given else data,
        "xml": data,
        "md5": xml_documents.md5(data),
        "accession": dataset.accession,
    }
    batch.renamed = given is not None and (row is None or row.md5 != values["md5"])
    if row is None:
        components.add([values | _place(batch) | {"type": "SUBMISSION", "alias": alias}])
    elif row.md5 != values["md5"]:
        components.receive([values | {"row": row.id}])


def _load_files(batch: Batch, dataset: Dataset) -> None:
    """Declare what is named and not declared yet, mend MD5s, and let go of what is named no more."""
    items = [item for item in batch.good if item.type in ("RUN", "ANALYSIS") and _home(batch, item) == dataset.id]
    if not items:
        return
    named_files = {row["name"]: row | {"title": item.title} for item in items for row in item.files}
    there = declared_in(dataset.id, list(named_files))
    for name, row in there.items():
        if row.declared_md5 != named_files[name]["md5"] and row.state != states.ARCHIVED:
            files.edit(db.session.get_one(File, row.id), {"md5": named_files[name]["md5"]}, actor=batch.actor)
    files.add(dataset, [row for name, row in named_files.items() if name not in there], actor=batch.actor)
    numbers = {name: row.id for name, row in declared_in(dataset.id, list(named_files)).items()}
    before = _named_by([item.id for item in items])
    components.name_files({item.id: {numbers[row["name"]] for row in item.files} for item in items})
    _let_go(before - set(numbers.values()), actor=batch.actor)


def _named_by(ids: list[int]) -> set[int]:
    file_ids: set[int] = set()
    for part in components.portions(ids):
        file_ids |= set(db.session.scalars(select(ComponentFile.file_id).where(ComponentFile.component_id.in_(part))))
    return file_ids


def _let_go(file_ids: set[int], *, actor: Account | None) -> None:
    for part in components.portions(file_ids):
        still = select(ComponentFile.file_id).where(ComponentFile.file_id.in_(part))
        # What another file is to replace stays until that one is archived.
        awaited = select(File.replaces_id).where(File.replaces_id.in_(part))
        gone = select(File.dataset_id, File.id).where(File.id.in_(part), File.id.not_in(still.union(awaited)))
        homes: dict[int, list[int]] = {}
        for dataset_id, file_id in db.session.execute(gone):
            homes.setdefault(dataset_id, []).append(file_id)
        for dataset_id, ids in homes.items():
            bulk_edit.remove(db.session.get_one(Dataset, dataset_id), ids, actor=actor)


def _tell(batch: Batch, dataset: Dataset) -> None:
    """A changed object is a change of its dataset: what it says of itself follows, and who looked must look again."""
    mine = [item for item in batch.items if not item.refusal and _home(batch, item) == dataset.id]
    changed = [item for item in mine if item.is_good and _differs(item)]
    if not mine or (not changed and all(item.is_good for item in mine)):
        return
    batch.changed.add(dataset.id)
    facts = {
        "loaded": len(changed),
        "refused": len(mine) - len([item for item in mine if item.is_good]),
        "accessions": [item.accession for item in changed[:100]],
    }
    history.record("components", actor=batch.actor, dataset=dataset, after=facts)
    studies = [item for item in changed if item.type == "STUDY"]
    values = batch.fields
    anew = studies or (batch.renamed and dataset is batch.dataset)
    edits = {"title": values["title"]} if anew and batch.says_title else {}
    edits |= {"description": values["description"]} if anew and batch.says_text else {}
    if values.get("species") and not dataset.species:
        edits["species"] = values["species"]
    if batch.actions.hold and dataset is batch.dataset:
        edits["release_date"] = batch.actions.hold
    datasets.edit(dataset, edits, actor=batch.actor)
    if any(item.current for item in changed):
        files.touched(dataset, actor=batch.actor)


def _hand_in(batch: Batch, dataset: Dataset) -> None:
    """Nobody presses Submit on a page: what is complete goes to the curators."""
    waits = dataset.state == states.DRAFT or (dataset.state == states.RETURNED and dataset.id in batch.changed)
    if not batch.good or not waits:
        return
    missing = datasets.missing(dataset)
    if not access.is_owner(dataset, batch.actor):
        text = "{name} submits it: it is theirs."
        batch.infos.append(say("owner_submits", text, name=dataset.account.name))
    elif missing:
        batch.infos.append(
            say(
                "not_submitted_yet",
                "{dataset} is not submitted yet: {reasons}",
                dataset=dataset.accession or say("the_dataset", "The dataset"),
                reasons=joined("fields_missing", list(missing.values())),
            )
        )
    else:
        reviews.submit(dataset, actor=batch.actor)


def dependents(ids: set[int]) -> set[int]:
    """What refers to these components, and to those."""
    reached, level = set(ids), set(ids)
    while level:
        query = select(ComponentRef.component_id).where(ComponentRef.ref_id.in_(level))
        level = set(db.session.scalars(query)) - reached
        reached |= level
    return reached
