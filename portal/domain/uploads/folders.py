"""An account's drop box: rename, move, remove, folders. All of it is rows; no byte moves."""

from pathlib import Path

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from portal import clock, db, errors, states, storage
from portal.config import settings
from portal.domain.files import area_paths, belonging, matching
from portal.domain.permissions import access
from portal.domain.shared import history
from portal.domain.uploads import receive, uploads
from portal.domain.uploads.uploads import Place
from portal.messages import say
from portal.models import Account, Dataset, File, Folder, Upload

MOST_AT_ONCE = 20_000
FOLDER_ALWAYS_HERE = say("folder_always_here", "This folder is always here.")


def named(path: str) -> Place:
    """The place of a path as FTP shows it: /OMIX/run1/a.gz, /OMIX-protected/..., /test/.... Raises NotFound."""
    first, _, rest = path.strip("/").partition("/")
    prefix = settings().prefix
    roots = {
        prefix: ("incoming", "open"),
        "incoming": ("incoming", "open"),
        "test": ("test", "open"),
        f"{prefix}-protected": ("incoming", "protected"),
    }
    if first not in roots:
        raise errors.NotFound(
            say("path_outside_areas", "Paths begin with /{prefix}/, /{prefix}-protected/ or /test/.", prefix=prefix)
        )
    return Place(*roots[first], rest.strip("/"))


def target(old: Place, given: str) -> Place:
    """Where something goes under a given name: a path from the root, else a name in its own area."""
    return named(given) if given.startswith("/") else Place(old.area, old.realm, given)


def path_of(place: Place) -> str:
    """The path of a place as FTP shows it."""
    if place.dataset_id is not None:
        return f"/datasets/{place.dataset_id}/{place.name}"
    root = "test" if place.area == "test" else settings().prefix + ("-protected" if place.realm == "protected" else "")
    return f"/{root}/{place.name}"


def _inside(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    """What lies below a folder. LIKE would take Run1 for run1; "0" is what follows "/" in order."""
    return and_(column > f"{path}/", column < f"{path}0")


def below(account_id: int, place: Place) -> Select[Upload]:
    """Query of the listed uploads at a path or in the folder of that path."""
    parts = (Upload.name == place.name, _inside(Upload.name, place.name))
    both = union_all(*(select(Upload.id).where(*_lying(account_id, place), part) for part in parts)).subquery()
    return select(Upload).join(both, both.c.id == Upload.id)


def _lying(account_id: int, place: Place) -> tuple[ColumnElement[bool], ...]:
    return (
        Upload.account_id == account_id,
        Upload.area == place.area,
        Upload.realm == place.realm,
        Upload.state.in_(states.LISTED),
        belonging.BOX,
    )


def at_or_below(account: Account, place: Place, *, to_read: bool = False) -> list[Upload]:
    """The uploads of a drop box at a path or in its folder; `to_read`: what belongs to a dataset by now too, where it
    shows alone. Raises NotFound, Conflict for what belongs to a dataset, and Invalid where they are too many for one
    change."""
    rows = list(db.session.scalars(below(account.id, place).limit(MOST_AT_ONCE + 1)))
    if to_read and not rows and (upload := uploads.taken(account.id, place)) is not None:
        return [upload]
    if len(rows) > MOST_AT_ONCE:
        raise errors.Invalid(
            say(
                "too_many_uploads_at_once",
                "More than {most:,} uploads lie there. Take its folders one by one.",
                most=MOST_AT_ONCE,
            )
        )
    if not rows and (upload := uploads.taken(account.id, place)) is not None:
        raise uploads.in_dataset(upload)
    if not rows and not _folders(account.id, place):
        raise errors.NotFound(say("no_such_path", "There is no {name}.", name=place.name))
    return rows


def rename(account: Account, old: Place, new_name: str) -> int:
    """Give an upload, or all of a folder, another name without sending a byte. Returns how many; raises NotFound,
    BadName, Conflict (the name is taken) or Frozen."""
    return move(account, old, Place(old.area, old.realm, area_paths.clean(new_name)))


def move(account: Account, old: Place, new: Place, *, replacing: bool = False) -> int:
    """rename(), also into another area. Into another realm the bytes were given a second name there before. With
    `replacing` one whole upload takes the place of what has the new name, as if it were sent under it."""
    if new == old:
        return 0
    rows = at_or_below(account, old)
    if replacing and [row.name for row in rows] == [old.name]:
        _put_over(rows[0], new)
        return 1
    for row, target in targets(account, rows, old, new):
        _move(row, target)
    for folder in _folders(account.id, old):
        path = new.name + folder.path[len(old.name) :]
        db.session.delete(folder)
        db.session.flush()
        make_folder(account, Place(new.area, new.realm, path))
    return len(rows)


def targets(account: Account, rows: list[Upload], old: Place, new: Place) -> list[tuple[Upload, Place]]:
    """Where each upload goes when `old` becomes `new`. Raises Conflict where something of that name is there, and
    BadName for one that released datasets bear."""
    if (old.area, old.realm) == (new.area, new.realm) and new.name.startswith(f"{old.name}/"):
        raise errors.Invalid(
            say("move_into_itself", "{new} lies in {old} itself. Choose another folder.", new=new.name, old=old.name)
        )
    moves = []
    for row in rows:
        target = Place(new.area, new.realm, area_paths.clean(new.name + row.name[len(old.name) :]))
        if uploads.find(account.id, target):
            raise errors.Conflict(say("target_exists", "There is a {name} already. Remove it first.", name=target.name))
        area_paths.refuse_folder(account.id, target.area, target.realm, target.name)
        moves.append((row, target))
    return moves


def _put_over(row: Upload, new: Place) -> None:
    """Rename one upload; what has the name gives way as it would to new bytes. Bytes that are there already stay, under
    their earlier number, and these go. Raises NotReady for a cut upload."""
    target = Place(new.area, new.realm, area_paths.clean(new.name))
    query = select(Upload).where(*uploads.of_place(row.account_id, target), Upload.state.in_(states.LISTED))
    rivals = list(db.session.scalars(query.order_by(Upload.id)))
    area_paths.refuse_folder(row.account_id, target.area, target.realm, target.name)
    if rivals and row.state != states.RECEIVED:
        text = "{name} has not arrived whole, so it does not take the place of {target}. Send it from the start."
        raise errors.NotReady(say("cut_takes_no_place", text, name=row.name, target=target.name))
    same = next((rival for rival in rivals if rival.state == states.RECEIVED and rival.sha256 == row.sha256), None)
    if same is not None and row.sha256 is not None:
        belonging.retire(row, "replace", by=same.id)
        return
    for rival in rivals:
        belonging.retire(rival, "replace", by=row.id)
    _move(row, target)


def _move(row: Upload, target: Place) -> None:
    """Rename one upload; the file that wants the new name takes it."""
    before = {"name": row.name, "area": row.area, "realm": row.realm}
    row.name, row.base, row.area, row.realm = target.name, target.base, target.area, target.realm
    db.session.flush()
    history.record(
        "rename",
        actor=row.account,
        upload=row,
        before=before,
        after={"name": row.name, "area": row.area, "realm": row.realm},
    )
    if row.state == states.RECEIVED and not matching.claim(row):
        receive.keep_once(row)


def remove(account: Account, place: Place, *, folder: bool = False) -> int:
    """Remove an upload of a drop box, or with `folder` all below a path."""
    rows = at_or_below(account, place)
    if not folder:
        rows = [row for row in rows if row.name == place.name]
        if not rows:
            raise errors.NotFound(
                say(
                    "no_such_file_to_remove",
                    "There is no file {name}; a folder goes only with all that is in it.",
                    name=place.name,
                )
            )
    for row in rows:
        drop(row, actor=account)
    if folder:
        for made in _folders(account.id, place):
            db.session.delete(made)
    db.session.flush()
    return len(rows)


def drop(row: Upload, *, actor: Account | None, action: str = "remove") -> None:
    """Remove one upload for good; its bytes go once that is committed. Raises as refuse_gone() does."""
    refuse_gone(row)
    history.record(action, actor=actor, upload=row, center_id=row.center_id, before={"name": row.name})
    belonging.retire(row, action)


def refuse_gone(row: Upload) -> None:
    """Raises Conflict for what belongs to a dataset, and for what lies in no area any more."""
    if row.state == states.ARCHIVED:
        raise uploads.frozen(row.name, archived=True)
    if row.dataset_id is not None and is_claimed(row):
        raise uploads.in_dataset(row)
    if row.state not in states.LISTED:
        raise errors.Conflict(say("upload_gone", "This upload is {state} already.", state=row.state))


def place_in_box(row: Upload, *, to_read: bool = False) -> Place:
    """The place of an upload in its drop box; `to_read`: also where what belongs to a dataset shows there still. Raises
    Conflict for what belongs to a dataset else, or lies in no area any more."""
    place = Place(row.area, row.realm, row.name)
    shows = row.taken_at is not None and row.state in states.NAMED
    if to_read and shows and uploads.find(row.account_id, place) is None:
        return place
    refuse_gone(row)
    if row.dataset_id is not None:
        raise uploads.in_dataset(row)
    return place


def is_claimed(row: Upload) -> bool:
    return db.session.scalar(select(File.id).where(File.upload_id == row.id).limit(1)) is not None


def copies_of(dataset: Dataset) -> Select[Upload]:
    """Query of what lies unclaimed in the area of a dataset's owner with the bytes of one of its files."""
    same = select(File.sha256).where(File.dataset_id == dataset.id, File.md5 == Upload.md5)
    return select(Upload).where(
        Upload.md5.in_(select(File.md5).where(File.dataset_id == dataset.id)),
        Upload.sha256.in_(same),
        Upload.account_id.in_(access.editors(dataset)),
        Upload.state.in_((states.RECEIVED, states.FAILED)),
        belonging.BOX,
    )


def own(upload_id: int, *, actor: Account) -> Upload:
    """An upload of the actor's, by id. Raises NotFound."""
    row = db.session.get(Upload, upload_id)
    if row is None or row.account_id != actor.id:
        raise errors.NotFound(
            say("no_upload_of_yours", "There is no upload {upload_id} of yours.", upload_id=upload_id)
        )
    return row


def _folders(account_id: int, place: Place) -> list[Folder]:
    at_or_below = or_(Folder.path == place.name, _inside(Folder.path, place.name))
    query = select(Folder).where(
        Folder.account_id == account_id, Folder.area == place.area, Folder.realm == place.realm
    )
    return list(db.session.scalars(query.where(at_or_below)))


def make_folder(account: Account, place: Place) -> None:
    """Remember an empty folder. Raises Conflict when something of that name is there."""
    name = area_paths.clean(place.name, with_companions=False)
    area_paths.refuse_file_above(account.id, place.area, place.realm, name)
    if uploads.find(account.id, place):
        raise errors.Conflict(say("file_exists", "There is a file {name} already.", name=name))
    if db.session.get(Folder, (account.id, place.area, place.realm, name)):
        raise errors.Conflict(say("folder_exists", "There is a folder {name} already.", name=name))
    db.session.add(Folder(account_id=account.id, area=place.area, realm=place.realm, path=name, made_at=clock.now()))
    db.session.flush()


def remove_folder(account: Account, place: Place) -> None:
    """Remove an empty folder. Raises Conflict while something is in it."""
    not_empty = say("folder_not_empty", "The folder {name} is not empty.", name=place.name)
    inside = below(account.id, place).with_only_columns(func.count()).order_by(None)
    if db.session.scalar(inside):
        raise errors.Conflict(not_empty)
    mine = (Folder.account_id == account.id, Folder.area == place.area, Folder.realm == place.realm)
    if db.session.scalar(select(func.count()).where(*mine, _inside(Folder.path, place.name))):
        raise errors.Conflict(not_empty)
    if not db.change(delete(Folder).where(*mine, Folder.path == place.name)):
        raise errors.NotFound(say("no_such_folder", "There is no folder {name}.", name=place.name))


def bytes_of(upload: Upload) -> Path:
    """Where the bytes of an upload in the area lie."""
    return storage.area_path(upload.realm, upload.account_id, upload.token)
