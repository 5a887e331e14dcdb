"""Rows made again from what bags say, for `omix rebuild`. One transaction a dataset: what is there already stays
as it is, so that a rebuild that was killed goes on."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select, update

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.accounts import centers
from portal.domain.archive import bags, fixity
from portal.domain.components import metadata_objects
from portal.domain.datasets import datasets, realms, releases
from portal.domain.files import accessions
from portal.domain.shared import history, job_queue, transitions
from portal.messages import say
from portal.models import REBUILDING, Account, Center, Counter, Dataset, File, Publication, Upload

# Made anew below, or no column of the row.
APART = ("accession", "realm", "taxon_id")
NOT_EMPTY = say(
    "database_not_empty",
    "This database is not empty, and a rebuild never changes one. To make the catalogue again from the bags alone, "
    "stop the portal and set portal.db (with portal.db-wal and portal.db-shm) aside first.",
)
OWN = ("n", "name", "title", "description", "data_type", "samples", "unit", "declared_md5")


@dataclass(frozen=True)
class Bytes:
    """One file that lies in a bag as it was found: `fixity` None was not read. `digests` are those of a stranger, which
    no manifest names."""

    n: int
    name: str
    path: str
    size: int
    fixity: str | None = None
    digests: tuple[str, str] | None = None


@dataclass
class ReadableBag:
    """A bag that can be read: what it says, where it lies, and its bytes."""

    realm: str
    catalogue: dict[str, Any]
    lying: list[Bytes] = field(default_factory=list)
    strangers: list[Bytes] = field(default_factory=list)
    stale: bool = False

    @property
    def accession(self) -> str:
        return str(self.catalogue["accession"])


@dataclass
class People:
    """Who owns what, as the newest bag that names them says."""

    accounts: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    centers: dict[int | str, tuple[int, str]] = field(default_factory=dict)

    def hear(self, catalogue: dict[str, Any]) -> None:
        at = catalogue.get("written_at") or 0
        self._name(catalogue.get("center_id") or catalogue["center"], at, catalogue["center"])
        home = catalogue.get("owner_center") or catalogue["center"]
        key = catalogue.get("owner_center_id") or home
        self._name(key, at, home)
        earlier = self.accounts.get(catalogue["owner"])
        if earlier is None or earlier[0] <= at:
            person = {
                "id": catalogue.get("owner_id"),
                "name": catalogue["owner_name"],
                "center": key,
                "state": catalogue.get("owner_state") or "active",
            }
            self.accounts[catalogue["owner"]] = (at, person)

    def _name(self, key: int | str, at: int, name: str) -> None:
        if key not in self.centers or self.centers[key][0] <= at:
            self.centers[key] = (at, name)

    def center(self, key: int | str) -> Center:
        return centers.ensure(self.centers[key][1])


def begin(people: People, *, above: int) -> None:
    """The first transaction: refuses a catalogue that holds anything but an earlier try, then makes the people. Their
    numbers are kept, because their areas are called so; new ones lie `above`."""
    if not is_begun():
        for model in (Account, Dataset, Upload):
            if db.session.scalar(select(model.id).limit(1)) is not None:
                raise errors.Conflict(NOT_EMPTY)
        db.session.add(Counter(name=REBUILDING, next=1))
        db.session.flush()
    for email, (_at, person) in sorted(people.accounts.items()):
        if db.session.scalar(select(Account.id).where(Account.email == email)) is None:
            _person(email, person, people.center(person["center"]), above)


def is_begun() -> bool:
    """Whether a rebuild was begun and has not come to its end."""
    return bool(db.session.scalar(select(Counter.next).where(Counter.name == REBUILDING)))


def _person(email: str, person: dict[str, Any], center: Center, above: int) -> None:
    """An account that no password opens: its owner sets one by the link of a reset."""
    account_id = person["id"]
    if not account_id or db.session.get(Account, account_id) is not None:
        account_id = max(above, db.session.scalar(select(func.max(Account.id))) or 0) + 1
    is_open = person["state"] != "closed"
    made = Account(
        id=account_id if db.is_sqlite() else None,
        email=email,
        name=person["name"],
        center_id=center.id,
        role="submitter",
        state="active" if is_open else "closed",
        password_hash=None,
        verified_at=clock.now() if is_open else None,
        created_at=clock.now(),
    )
    db.session.add(made)
    db.session.flush()
    history.record("account.rebuild", actor=None, center_id=center.id, after={"account": made.id, "email": email})


def is_there(accession: str) -> bool:
    return db.session.scalar(select(Dataset.id).where(Dataset.accession == accession)) is not None


def add(bag: ReadableBag, people: People) -> Dataset:
    """A dataset, its files and papers; and the work that follows from them."""
    content = bag.catalogue
    owner = db.session.scalars(select(Account).where(Account.email == content["owner"])).one()
    values = {name: content[name] for name in bags.DATASET_FIELDS if name in content and name not in APART}
    dataset = Dataset(
        **values,
        accession=bag.accession,
        realm=bag.realm,
        account_id=owner.id,
        account=owner,
        center=people.center(content.get("center_id") or content["center"]),
        next_n=content["next_n"],
        bag_generation=content.get("generation") or 1,
    )
    db.session.add(dataset)
    db.session.flush()
    datasets.index(dataset)
    adopted = _files(dataset, bag)
    _stand_behind(content.get("components", {}))
    papers = [paper | {"dataset_id": dataset.id, "added_by": None} for paper in content.get("papers", ())]
    if papers:
        db.session.execute(insert(Publication), papers)
    dataset.bag_dirty = bag.stale or adopted > 0
    history.record(
        "site.rebuild",
        actor=None,
        dataset=dataset,
        after={"state": dataset.state, "files": len(bag.lying), "adopted": adopted},
    )
    _enqueue(dataset)
    return dataset


def _enqueue(dataset: Dataset) -> None:
    db.session.flush()
    if dataset.bag_dirty:
        job_queue.enqueue("bag", dataset_id=dataset.id, priority=4)
    if dataset.state != states.WITHDRAWN:
        job_queue.enqueue("components", dataset_id=dataset.id, priority=4)
        if dataset.realm != realms.of_access(dataset):
            job_queue.enqueue("move", dataset_id=dataset.id, priority=2)
    if releases.is_wanted(dataset):
        releases.enqueue(dataset)


def _files(dataset: Dataset, bag: ReadableBag) -> int:
    """Every file by its number. Returns how many that no manifest names yet were taken in: a bag is written after its
    bytes came, so these are of the last moments before the catalogue was lost."""
    lying = {stranger.n: stranger for stranger in bag.lying}
    rows = {row["n"]: _archived(row, lying.get(row["n"])) for row in bag.catalogue["files"]}
    others = {row["n"]: row for row in bag.catalogue.get("others", ())}
    rows |= {n: _other(row, dataset) for n, row in others.items()}
    # Two may share a name where one is to take the place of the other: _tie() says of which.
    rows |= {n: rows[n] | {"replaces_id": -n} for n, row in others.items() if row.get("replaces")}
    adopted = [_adopted(stranger, rows.get(stranger.n)) for stranger in bag.strangers if may_adopt(bag, stranger)]
    rows |= {row["n"]: row for row in adopted}
    dataset.next_n = max([dataset.next_n, *(n + 1 for n in rows)])
    now = clock.now()
    shared = {"dataset_id": dataset.id, "created_at": now, "updated_at": now}
    ordered = [
        {column: None for column in COLUMNS} | shared | rows[n] | {"base": rows[n]["name"].rsplit("/", 1)[-1]}
        for n in sorted(rows)
    ]
    if ordered:
        db.session.connection().execute(insert(File), ordered)
    _tie(dataset, list(others.values()), {row["n"] for row in adopted})
    return len(adopted)


COLUMNS = tuple(column.name for column in File.__table__.columns if column.name != "id")
_TEXT = {"comment": "", "error": None, "upload_id": None}


def _archived(row: dict[str, Any], stranger: Bytes | None) -> dict[str, Any]:
    verdict = stranger.fixity if stranger else fixity.BAD
    kept = {name: row[name] for name in bags.FILE_FIELDS if row.get(name) is not None and name != "upload_id"}
    return (
        _blank()
        | kept
        | _TEXT
        | {"state": states.ARCHIVED, "fixity": verdict, "fixity_at": clock.now() if verdict else None}
    )


def _other(row: dict[str, object], dataset: Dataset) -> dict[str, object]:
    """Bytes in an area are not in the bag: a file that had some waits for them again."""
    kept = {name: row[name] for name in bags.FILE_FIELDS if row.get(name) is not None and name != "upload_id"}
    lasting = row["state"] in states.DEAD_FILES or dataset.state == states.WITHDRAWN
    return _blank() | kept | _TEXT | {"state": row["state"] if lasting else states.WAITING}


def _blank() -> dict[str, object]:
    return {"title": "", "description": "", "data_type": "", "unit": "samples"}


def may_adopt(bag: ReadableBag, stranger: Bytes) -> bool:
    """Whether bytes that no manifest names are those of a file that waits for them."""
    if bag.catalogue["state"] not in states.OPEN_DATASETS or stranger.digests is None:
        return False
    others = {row["n"]: row for row in bag.catalogue.get("others", ())}
    row = others.get(stranger.n)
    if row is not None:
        fits = row.get("declared_md5") in (None, "", stranger.digests[0])
        return row["state"] not in states.DEAD_FILES and row["name"] == stranger.name and fits
    rows = [*bag.catalogue["files"], *others.values()]
    living = {row["name"] for row in rows if row.get("state") not in states.DEAD_FILES}
    return stranger.name not in living and stranger.n not in {row["n"] for row in rows}


def _adopted(stranger: Bytes, row: dict[str, object] | None) -> dict[str, Any]:
    assert stranger.digests is not None
    md5, sha256 = stranger.digests
    return (
        _blank()
        | (row or {"n": stranger.n, "name": stranger.name})
        | _TEXT
        | {
            "state": states.ARCHIVED,
            "size": stranger.size,
            "md5": md5,
            "sha256": sha256,
            "archive_path": stranger.path,
            "archived_at": clock.now(),
            "fixity": fixity.OK,
            "fixity_at": clock.now(),
        }
    )


def _tie(dataset: Dataset, others: list[dict[str, object]], adopted: set[int]) -> None:
    """Which file took or is to take the place of which. One that was taken in has its place at once."""
    tied = [row for row in others if row.get("replaced_by") or row.get("replaces")]
    if not tied:
        return
    ids = {row.n: row.id for row in db.session.execute(select(File.n, File.id).where(File.dataset_id == dataset.id))}
    for row in tied:
        new, old = ids[row["n"]], ids.get(row.get("replaces") or 0)
        waits = None if row["n"] in adopted else old
        here = update(File).where(File.id == new)
        db.change(here.values(replaced_by=ids.get(row.get("replaced_by") or 0), replaces_id=waits))
        if old and not waits:
            transitions.transition_all(File, "replace", File.id == old, replaced_by=new)


def _stand_behind(given: dict[str, str]) -> None:
    """Accessions of components that were given once are not given again."""
    for kind, accession in given.items():
        series = settings().prefix + metadata_objects.LETTERS[kind]
        following = int(accession.removeprefix(series)) + 1
        row = db.session.get(Counter, series)
        if row is None:
            db.session.add(Counter(name=series, next=following))
        else:
            row.next = max(row.next, following)


def close(replaced: dict[str, str]) -> None:
    """The last transaction: datasets name those that they replace, counters stand behind what was given, and the
    portal may start."""
    for accession, earlier in replaced.items():
        replaced_id = db.session.scalar(select(Dataset.id).where(Dataset.accession == earlier))
        if replaced_id is not None:
            db.change(update(Dataset).where(Dataset.accession == accession).values(replaces_id=replaced_id))
    accessions.raise_to_high_water()
    db.change(update(Counter).where(Counter.name == REBUILDING).values(next=0))
