"""What a killed process left, put in order before the others start. Doing it twice changes nothing more.

No byte that a row refers to is ever removed. Bytes without a row were never acknowledged; they stay for a day. Those
from before a rebuild may have been, since it cannot know their rows: they stay until somebody removes them.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Row, func, select

from portal import db, states, storage
from portal.config import settings
from portal.domain.archive import archiving
from portal.domain.files import accessions, belonging
from portal.domain.shared import transitions
from portal.domain.uploads import uploads
from portal.models import Event, Job, Upload

log = logging.getLogger(__name__)
PAGE_SIZE = 1000
KEEP_NAMELESS = 86_400.0


def run() -> dict[str, int]:
    """Put the instance in order. Returns how many of each kind were found; call while no other process runs."""
    with db.transaction():
        accessions.raise_to_high_water()
        jobs = transitions.transition_all(Job, "interrupt", owner=None, lease_until=None)
    counts = {"jobs": jobs, "cut": _cut_receiving(), "missing": _miss_bytes(), "left over": _clear_left_over()}
    for what, count in counts.items():
        if count:
            log.warning("reconciled %s: %d", what, count)
    return counts


def _cut_receiving() -> int:
    """Receptions whose process is gone: incomplete with their true length, or nothing."""
    count = 0
    while True:
        query = select(Upload.id, Upload.realm, Upload.account_id, Upload.token)
        rows = list(db.session.execute(query.where(Upload.state == states.RECEIVING).limit(PAGE_SIZE)))
        db.end()
        if not rows:
            return count
        lengths = {row.id: _length(storage.area_path(row.realm, row.account_id, row.token)) for row in rows}
        with db.transaction():
            for upload_id, length in lengths.items():
                row = db.session.get_one(Upload, upload_id)
                uploads.set_cut(row, length=length, reason="the server stopped while it was received")
        count += len(rows)


def _length(path: Path) -> int:
    facts = storage.facts(path)
    return facts.size if facts else 0


def _pages(*in_states: str) -> Iterator[Sequence[Row[int, str, int, str, str]]]:
    last = 0
    while True:
        query = select(Upload.id, Upload.realm, Upload.account_id, Upload.token, Upload.state)
        page = query.where(Upload.id > last, Upload.state.in_(in_states)).order_by(Upload.id).limit(PAGE_SIZE)
        rows = db.session.execute(page).all()
        db.end()
        if not rows:
            return
        last = rows[-1].id
        yield rows


def _miss_bytes() -> int:
    """Rows whose bytes are gone: the submitter is told to send them again."""
    count = 0
    for rows in _pages(states.RECEIVED, states.INCOMPLETE):
        gone = [row for row in rows if storage.facts(storage.area_path(row.realm, row.account_id, row.token)) is None]
        if not gone:
            continue
        with db.transaction():
            for row in gone:
                if row.state == states.INCOMPLETE:
                    belonging.retire(db.session.get_one(Upload, row.id), "lose")
                else:
                    archiving.fail(row.id, "upload_file_not_found")
        count += len(gone)
    return count


def _clear_left_over() -> int:
    """Bytes whose row says that they are no longer needed, and nameless ones older than a day."""
    count, known_since = 0, _known_since()
    for realm in ("open", "protected"):
        root = settings().root("area", realm)
        for folder in (path for path in root.iterdir() if path.is_dir()) if root.is_dir() else ():
            for paths in _pieces(folder):
                count += _clear_some(paths, known_since)
    return count


def _pieces(folder: Path) -> Iterator[list[Path]]:
    piece: list[Path] = []
    for path in folder.iterdir():
        piece.append(path)
        if len(piece) == 500:
            yield piece
            piece = []
    if piece:
        yield piece


def _known_since() -> float:
    """The moment before which the catalogue knows of no upload: its last rebuild."""
    query = select(func.max(Event.at)).where(Event.action == "site.rebuild", Event.dataset_id.is_(None))
    moment = db.session.scalar(query)
    db.end()
    return (moment or 0) / 1000


def _clear_some(paths: list[Path], known_since: float) -> int:
    query = select(Upload.token, Upload.state).where(Upload.token.in_([path.name for path in paths]))
    states_by_token = {row.token: row.state for row in db.session.execute(query)}
    db.end()
    count = 0
    for path in paths:
        state = states_by_token.get(path.name)
        changed = path.lstat().st_mtime
        nameless = state is None and (changed < known_since or time.time() - changed < KEEP_NAMELESS)
        if state in states.LIVE or nameless:
            continue
        storage.remove(path)
        count += 1
    return count
