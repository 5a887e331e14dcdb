"""usage_report.txt: how much room a center has in a realm, and the listing of its areas as `ls -lR` writes it."""

import socket
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select

from portal import clock, db, states, storage
from portal.config import settings
from portal.domain.accounts import quotas
from portal.models import Account, Center, Folder, Upload

UNITS = "BKMGTPE"
BLOCK = 1024
LAST = "\U0010ffff"
STARS = "*" * 18


def human(size: int) -> str:
    """As `df -h` writes it: rounded up, one place below ten."""
    if size < BLOCK:
        return str(size)
    for power, unit in enumerate(UNITS):
        scale = BLOCK**power
        if size <= 9.9 * scale and power:
            return f"{-(-size * 10 // scale) / 10:.1f}{unit}"
        if -(-size // scale) < BLOCK:
            return f"{-(-size // scale)}{unit}"
    return f"{size >> 60}E"


def lines(center: Center, realm: str) -> Iterator[str]:
    """The report, line by line."""
    now = clock.now()
    stamp = datetime.fromtimestamp(now / 1000, UTC).astimezone(settings().zone)
    yield f"Usage report at {stamp:%a %b} {stamp.day:2d} {stamp:%H:%M:%S %Z %Y} created on {_host()}:\n"
    yield from _table(center, realm)
    yield STARS + "\n"
    yield "List of all files:\n"
    yield from _listing(center.id, realm, now)


def _host() -> str:
    return socket.gethostname().partition(".")[0] or "localhost"


def _table(center: Center, realm: str) -> Iterator[str]:
    quotas.forget()
    with db.reading():
        used = quotas.used(center.id, realm)
    size = quotas.limit(center, realm)
    total = size if size is not None else used + storage.free_bytes(realm)
    free = max(0, total - used)
    percent = f"{-(-used * 100 // total) if total else 100}%"
    source = f"{settings().prefix.lower()}:{realm}"
    yield "Filesystem            Size  Used Avail Use% Mounted on\n"
    yield f"{source:<20} {human(total):>5} {human(used):>5} {human(free):>5} {percent:>4} .\n"


def _listing(center_id: int, realm: str, now: int) -> Iterator[str]:
    """Every folder with what lies in it; the areas of the center's accounts are shown as one, by owner."""
    tops = ["incoming", "outgoing", "test"] if realm == "open" else ["incoming", "outgoing"]
    folders = _folders(center_id, realm)
    yield ".:\n"
    yield "total 0\n"
    for top in tops:
        yield _line("d", "root", 0, folders[top].changed if top in folders else now, top, now)
    inside: dict[str, list[str]] = defaultdict(list)
    for name in sorted(folders):
        inside[name.rpartition("/")[0]].append(name)
    for path in sorted(set(folders) | set(tops) - {"outgoing"}):
        yield f"\n\n./{path}:\n"
        yield f"total {-(-folders[path].size // BLOCK) if path in folders else 0}\n"
        for name in inside[path]:
            yield _line("d", folders[name].owner, 0, folders[name].changed, name.rpartition("/")[2], now)
        if path in folders:
            yield from _files(center_id, realm, path, now)


class _Folder:
    """What is known of a folder before its files are listed."""

    def __init__(self) -> None:
        self.size, self.changed, self.owner = 0, 0, "root"


def _path_of() -> ColumnElement[str]:
    """The folder of an upload, with a slash behind it, as the database computes it."""
    return func.substr(Upload.name, 1, func.length(Upload.name) - func.length(Upload.base))


def _here(center_id: int, realm: str) -> tuple[ColumnElement[bool], ...]:
    return Upload.center_id == center_id, Upload.realm == realm, Upload.state.in_(states.LISTED)


def _folders(center_id: int, realm: str) -> dict[str, _Folder]:
    folders: dict[str, _Folder] = defaultdict(_Folder)
    parent = _path_of()
    held = (
        select(Upload.area, parent, func.sum(Upload.size), func.max(Upload.heard_at), func.min(Account.email))
        .join(Account, Account.id == Upload.account_id)
        .where(*_here(center_id, realm))
        .group_by(Upload.area, parent)
    )
    made = (
        select(Folder.area, Folder.path, Folder.made_at, Account.email)
        .join(Account, Account.id == Folder.account_id)
        .where(Account.center_id == center_id, Folder.realm == realm)
    )
    with db.reading():
        rows = [(area, path, size, at, email) for area, path, size, at, email in db.session.execute(held)]
        rows += [(area, f"{path}/", 0, at, email) for area, path, at, email in db.session.execute(made)]
    for area, path, size, at, email in rows:
        whole = f"{area}/{path}".rstrip("/")
        folders[whole].size += size
        for step in _upwards(whole):
            folders[step].changed = max(folders[step].changed, at or 0)
            folders[step].owner = _owner(email) if "/" in step else "root"
    return dict(folders)


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _files(center_id: int, realm: str, path: str, now: int) -> Iterator[str]:
    """The files directly in a folder, by name; read in portions by (name, id)."""
    area, _, inside = path.partition("/")
    prefix = f"{inside}/" if inside else ""
    accounts = select(Account.id).where(Account.center_id == center_id)
    query = (
        select(Upload.base, Upload.id, Upload.size, Upload.received_at, Upload.heard_at, Account.email)
        .join(Account, Account.id == Upload.account_id)
        .where(
            *_here(center_id, realm),
            Upload.account_id.in_(accounts),
            Upload.area == area,
            Upload.name == prefix + Upload.base,
            Upload.name >= prefix,
            Upload.name < prefix + LAST,
        )
        .order_by(Upload.base, Upload.id)
    )
    with db.reading():
        for row in db.session.execute(query.execution_options(yield_per=1000)):
            yield _line("-", _owner(row.email), row.size, row.received_at or row.heard_at, row.base, now)


def _owner(email: str) -> str:
    return email.partition("@")[0]


def _line(kind: str, owner: str, size: int, moment: int, name: str, now: int) -> str:
    at = datetime.fromtimestamp(moment / 1000, UTC).astimezone(settings().zone)
    mode, links = ("drwxrwsr-x", 2) if kind == "d" else ("-rw-rw-r--", 1)
    when = f"{at.year:5d}" if now - moment > 180 * clock.DAY else f"{at:%H:%M}"
    group = settings().prefix.lower()
    return f"{mode}  {links} {owner:<8} {group} {size:10d} {at:%b} {at.day:2d} {when} {name}\n"
