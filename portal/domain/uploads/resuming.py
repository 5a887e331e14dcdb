"""Uploads that go on: which bytes of a name may grow, and by whom."""

from sqlalchemy import select

from portal import clock, db, errors, states
from portal.domain.files import belonging
from portal.domain.shared import history, transitions
from portal.domain.uploads import uploads
from portal.domain.uploads.uploads import Place
from portal.messages import say
from portal.models import File, Upload


def find_resumable(account_id: int, place: Place) -> Upload | None:
    """The newest upload of a name whose bytes may grow. Raises Frozen, or GhostSession while another session sends."""
    uploads.refuse_frozen(account_id, place)
    here = (*uploads.of_place(account_id, place), Upload.account_id == account_id)
    query = select(Upload).where(*here, Upload.state.in_((states.RECEIVING, *states.LISTED)))
    if place.dataset_id is not None:  # what a file of another name has is not of this place, whatever it was sent as
        query = query.where(~select(File.id).where(File.upload_id == Upload.id).exists())
    newest = db.session.scalars(query.order_by(Upload.id.desc()).limit(1)).first()
    if place.dataset_id is not None:
        newest = _of_file(account_id, place, newest)
    if newest and newest.state == states.RECEIVING and clock.now() - newest.heard_at < uploads.GHOST_MS:
        raise errors.GhostSession(
            say("session_still_sending", "Another session is still sending this file. Try again in 15 s.")
        )
    if newest is None and place.dataset_id is None and (upload := uploads.taken(account_id, place)) is not None:
        raise uploads.in_dataset(upload)
    return newest


def _of_file(account_id: int, place: Place, cut: Upload | None) -> Upload | None:
    """What came last for a name in a dataset: a cut upload, else the one that the file of that name has, whose bytes
    may grow by their own sender alone. Raises Frozen for what is archived, Conflict for what somebody else sent: a tail
    would take the place of the whole."""
    query = select(File).where(
        File.dataset_id == place.dataset_id, File.name == place.name, File.state.not_in(states.DEAD_FILES)
    )
    file = db.session.scalars(query.order_by(File.n.desc()).limit(1)).unique().first()
    upload = file.upload if file is not None else None
    if file is None or upload is None or (cut is not None and cut.id > upload.id):
        return cut
    if file.state == states.ARCHIVED:
        raise uploads.frozen(place.name, archived=True)
    if upload.account_id != account_id:
        text = "{name} was sent by somebody else. Send it from the start to replace it."
        raise errors.Conflict(say("resumed_by_another", text, name=place.name))
    return upload


def take_up(upload_id: int, *, fence: int, offset: int, via: str, name: str) -> Upload:
    """Go on with bytes that are here, under this name: the row is receiving again under a new fence, and its file
    waits."""
    taken = transitions.transition_all(
        Upload,
        "resume",
        Upload.id == upload_id,
        Upload.fence == fence,
        fence=fence + 1,
        heard_at=clock.now(),
        md5=None,
        sha256=None,
        resumed=True,
        via=via,
        name=name,
        base=name.rsplit("/", 1)[-1],
        bytes_done=offset,
        error=None,
        detail="",
        inspection=None,
        file_type=None,
    )
    if taken != 1:
        raise errors.GhostSession(say("upload_taken_up", "Another session took this upload up. Try again in 15 s."))
    row = db.session.get(Upload, upload_id, populate_existing=True)
    assert row is not None
    history.record("resume", actor=None, upload=row, center_id=row.center_id, after={"offset": offset})
    belonging.let_go(row)
    return row
