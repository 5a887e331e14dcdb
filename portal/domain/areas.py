"""An account's drop box: rename, remove, folders, expiry. All of it is rows; no byte moves."""

from sqlalchemy import and_, delete, func, or_, select

from portal import clock, db, errors, states, storage
from portal.config import settings
from portal.domain import history, matching, names, uploads
from portal.domain.uploads import Place
from portal.models import Account, Folder, Upload

MOST_AT_ONCE = 20_000


def _inside(column, path: str):
    """What lies below a folder. LIKE would take Run1 for run1; "0" is what follows "/" in order."""
    return and_(column > f"{path}/", column < f"{path}0")


def below(account_id: int, place: Place):
    """Query of the listed uploads at a path or in the folder of that path."""
    return select(Upload).where(
        Upload.account_id == account_id, Upload.area == place.area, Upload.realm == place.realm,
        Upload.state.in_(states.LISTED),
        or_(Upload.name == place.name, _inside(Upload.name, place.name)))  # fmt: skip


def rename(account: Account, old: Place, new_name: str) -> int:
    """Give an upload, or all of a folder, another name without sending a byte. Returns how many; raises NotFound,
    BadName, Conflict (the name is taken) or Frozen."""
    name = names.clean(new_name)
    if name == old.name:
        return 0
    rows = list(db.session.scalars(below(account.id, old).limit(MOST_AT_ONCE)))
    folders = _folders(account.id, old)
    if not rows and not folders:
        raise errors.NotFound(f"There is no {old.name}.")
    _refuse_frozen(rows)
    for row in rows:
        target = Place(row.area, row.realm, names.clean(name + row.name[len(old.name) :]))
        if uploads.find(account.id, target):
            raise errors.Conflict(f"There is a {target.name} already. Remove it first.")
        _move(row, target)
    for folder in folders:
        path = name + folder.path[len(old.name) :]
        db.session.delete(folder)
        db.session.flush()
        make_folder(account, Place(old.area, old.realm, path))
    return len(rows)


def _move(row: Upload, target: Place) -> None:
    before = row.name
    matching.release(row)
    row.name, row.base = target.name, target.base
    db.session.flush()
    history.record("rename", actor=row.account, upload=row, before={"name": before}, after={"name": row.name})
    if row.state == states.RECEIVED:
        matching.claim(row)


def _refuse_frozen(rows: list[Upload]) -> None:
    held = next((row for row in rows if row.state in states.FROZEN), None)
    if held:
        raise uploads.frozen(held.name, None)


def remove(account: Account, place: Place, *, folder: bool = False) -> int:
    """Remove an upload, or with `folder` all below a path. Files that claimed them wait again."""
    rows = list(db.session.scalars(below(account.id, place).limit(MOST_AT_ONCE)))
    if not folder:
        rows = [row for row in rows if row.name == place.name]
    if not rows and not (folder and _folders(account.id, place)):
        raise errors.NotFound(f"There is no {place.name}.")
    _refuse_frozen(rows)
    for row in rows:
        drop(row, actor=account)
    if folder:
        for made in _folders(account.id, place):
            db.session.delete(made)
    db.session.flush()
    return len(rows)


def drop(row: Upload, *, actor: Account | None, state: str = states.OBSOLETE) -> None:
    """Take one upload out of its area; its file waits again, its bytes go once that is committed."""
    _refuse_frozen([row])
    if row.state not in states.LISTED:
        raise errors.Conflict(f"This upload is {row.state} already.")
    action = "expire" if state == states.EXPIRED else "remove"
    history.record(action, actor=actor, upload=row, center_id=row.center_id, before={"name": row.name})
    uploads.retire(row, state=state)
    matching.release(row)


def own(upload_id: int, *, actor: Account) -> Upload:
    """An upload of the actor's, by id. Raises NotFound."""
    row = db.session.get(Upload, upload_id)
    if row is None or row.account_id != actor.id:
        raise errors.NotFound(f"There is no upload {upload_id} of yours.")
    return row


def _folders(account_id: int, place: Place) -> list[Folder]:
    at_or_below = or_(Folder.path == place.name, _inside(Folder.path, place.name))
    query = select(Folder).where(
        Folder.account_id == account_id, Folder.area == place.area, Folder.realm == place.realm
    )
    return list(db.session.scalars(query.where(at_or_below)))


def make_folder(account: Account, place: Place) -> None:
    """Remember an empty folder. Raises Conflict when something of that name is there."""
    name = names.clean(place.name)
    if uploads.find(account.id, place):
        raise errors.Conflict(f"There is a file {name} already.")
    if db.session.get(Folder, (account.id, place.area, place.realm, name)):
        raise errors.Conflict(f"There is a folder {name} already.")
    db.session.add(Folder(account_id=account.id, area=place.area, realm=place.realm, path=name, made_at=clock.now()))
    db.session.flush()


def remove_folder(account: Account, place: Place) -> None:
    """Remove an empty folder. Raises Conflict while something is in it."""
    inside = below(account.id, place).with_only_columns(func.count()).order_by(None)
    if db.session.scalar(inside):
        raise errors.Conflict(f"The folder {place.name} is not empty.")
    mine = (Folder.account_id == account.id, Folder.area == place.area, Folder.realm == place.realm)
    if db.session.scalar(select(func.count()).where(*mine, _inside(Folder.path, place.name))):
        raise errors.Conflict(f"The folder {place.name} is not empty.")
    if not db.change(delete(Folder).where(*mine, Folder.path == place.name)):
        raise errors.NotFound(f"There is no folder {place.name}.")


def expire(limit: int = 500) -> int:
    """Remove uploads nobody claimed or finished within the days of the settings. Returns how many."""
    cuts = {states.INCOMPLETE: settings().incomplete_days, states.RECEIVED: settings().received_days,
            states.FAILED: settings().received_days}  # fmt: skip
    count = 0
    for state, days in cuts.items():
        before = clock.now() - days * clock.DAY
        query = select(Upload).where(Upload.state == state, Upload.received_at < before).order_by(Upload.id)
        for row in db.session.scalars(query.limit(limit)):
            drop(row, actor=None, state=states.EXPIRED)
            count += 1
    return count


def bytes_of(upload: Upload):
    """Where the bytes of an upload in the area lie."""
    return storage.area_path(upload.realm, upload.account_id, upload.token)
