"""The place of a dataset: bytes that are sent for it, from its pages, by API or into its folder of the FTP tree. They
belong to it alone, whatever lies in the drop box of their sender or in other datasets under the same name."""

from dataclasses import replace

from sqlalchemy import select

from portal import db, errors, states
from portal.domain.datasets import realms
from portal.domain.files import area_paths, belonging, files
from portal.domain.files.matching import open_file_never_claims_protected_bytes
from portal.domain.permissions import access
from portal.domain.shared import companions
from portal.domain.shared.path_names import IsFree
from portal.domain.uploads import replacements, uploads
from portal.domain.uploads.uploads import Arrival, Place
from portal.models import Account, Dataset, File


def admit(account_id: int, dataset_id: int, name: str, *, with_companions: bool = False) -> Place:
    """Where bytes for a dataset go; they lie in the realm of its access. Raises NotFound, Forbidden, Conflict once it
    is released, BadName, and Invalid for a name that cannot stand beside those declared."""
    dataset = open_to(dataset_id, uploads.sender(account_id))
    if companions.is_companion(name):
        if not with_companions:
            raise errors.BadName(companions.refusal(name))
        return of(dataset, area_paths.clean(name))
    clean = area_paths.clean(name, with_companions=False, is_free=free_in(dataset))
    fault = files.name_fault(dataset, clean, besides=_ids_of(dataset, clean))
    if fault is not None:
        raise errors.Conflict(fault)
    return of(dataset, clean)


def of(dataset: Dataset, name: str) -> Place:
    return Place("incoming", realms.of_access(dataset), name, dataset.id)


def free_in(dataset: Dataset) -> IsFree:
    """Whether no file of the dataset has a name yet."""
    return lambda name: not _ids_of(dataset, name)


def _ids_of(dataset: Dataset, name: str) -> tuple[int, ...]:
    mine = files.living(dataset).with_only_columns(File.id).order_by(None).where(File.name == name)
    return tuple(db.session.scalars(mine))


def file_named(dataset: Dataset, name: str) -> File | None:
    """The file of a name; of an archived one and its successor the successor."""
    query = files.living(dataset).where(File.name == name).order_by(None).order_by(File.n.desc()).limit(1)
    return db.session.scalars(query).unique().first()


def file_for(arrival: Arrival) -> File | None:
    """The file that takes what was sent for a dataset, declared now if need be; of an archived one its successor,
    unless the same bytes are archived. None where its dataset is gone or released meanwhile, no longer its sender's to
    edit, or open to everybody now while the bytes are protected. Raises Frozen while the file is being archived."""
    dataset = _still_open(arrival)
    if dataset is None:
        return None
    name, actor = arrival.place.name, db.session.get_one(Account, arrival.account_id)
    file = file_named(dataset, name)
    if file is None:
        numbers = files.add(dataset, [{"name": name}], actor=actor, look_in_box=False)
        return files.by_number(dataset, numbers.start)
    if file.state == states.CHECKING:
        raise uploads.frozen(name, dataset.accession)
    if file.state == states.ARCHIVED and file.sha256 != arrival.sha256:
        return replacements.replace(file, actor=actor, look_in_box=False)
    return file


def _still_open(arrival: Arrival) -> Dataset | None:
    query = select(Dataset).where(
        Dataset.id == arrival.place.dataset_id,
        Dataset.state.in_(states.OPEN_DATASETS),
        access.editable_by(arrival.account_id),
    )
    dataset = db.session.scalars(query.execution_options(populate_existing=True)).unique().first()
    if dataset is None or not open_file_never_claims_protected_bytes(arrival.place.realm, dataset.access):
        return None
    return dataset


def into_box(arrival: Arrival) -> Arrival:
    """What its dataset no longer takes lies in the drop box of its sender, beside what has its name there."""
    row = uploads.row(arrival)
    name = belonging.name_in_box(row)
    row.dataset_id, row.name, row.base = None, name, name.rsplit("/", 1)[-1]
    db.session.flush()
    return replace(arrival, place=Place("incoming", arrival.place.realm, name))


def open_to(ref: int | str, actor: Account) -> Dataset:
    """The dataset of an id or accession, for somebody who may send into it. Raises NotFound, Forbidden, and Conflict
    once it is released."""
    dataset = access.load(ref, actor=actor, right="edit")
    files.refuse_released(dataset)
    return dataset
