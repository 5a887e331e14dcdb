"""XML dropped by FTP: files of one folder that are metadata are read together, once the folder has come to rest."""

from dataclasses import dataclass

from sqlalchemy import select

from portal import clock, db, states, storage
from portal.domain.components import xml_splitter
from portal.domain.files import file_state
from portal.domain.shared import history, job_queue
from portal.domain.uploads.uploads import Arrival, Place, columns
from portal.models import DeliveryUpload, File, Upload

REST_MS = 15_000
RECEIPT = "receipt-{}.xml"


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def notice(arrival: Arrival) -> None:
    """An upload has arrived: when it may be metadata, its folder is looked at soon."""
    place = arrival.place
    boxed = place.dataset_id is None and place.area == "incoming"
    if arrival.via == "ftp" and boxed and place.name.lower().endswith(".xml"):
        key = f"drop:{arrival.account_id}:{place.realm}:{folder_of(place.name)}"
        job_queue.enqueue("drop", upload_id=arrival.upload_id, key=key, priority=4, delay=REST_MS)


def waiting(upload: Upload) -> list[Upload]:
    """XML files beside an upload, itself among them, that were not read yet and that no dataset declares."""
    folder = folder_of(upload.name)
    query = (
        select(Upload)
        .outerjoin(File, File.upload_id == Upload.id)
        .outerjoin(DeliveryUpload, DeliveryUpload.upload_id == Upload.id)
        .where(
            Upload.account_id == upload.account_id,
            Upload.area == "incoming",
            Upload.dataset_id.is_(None),
            Upload.realm == upload.realm,
            Upload.state.in_(file_state.LINKABLE),
            Upload.via == "ftp",
            Upload.size <= xml_splitter.LARGEST,
            File.id.is_(None),
            DeliveryUpload.upload_id.is_(None),
            Upload.name.startswith(f"{folder}/" if folder else "", autoescape=True),
        )
        .order_by(Upload.id)
    )
    uploads = db.session.scalars(query)
    return [row for row in uploads if row.name.lower().endswith(".xml") and folder_of(row.name) == folder]


def rests_at(uploads: list[Upload]) -> int:
    """The moment at which nothing has arrived in the folder for a while."""
    return max((upload.received_at or 0) for upload in uploads) + REST_MS


@dataclass(frozen=True)
class Laid:
    """Bytes of a receipt on disk, not yet recorded."""

    token: str
    facts: storage.Facts
    md5: str
    sha256: str


def lay(upload: Upload, receipt: bytes) -> Laid:
    """Write a RECEIPT to the disk of the area. Call it outside any transaction."""
    token = storage.token()
    path = storage.area_path(upload.realm, upload.account_id, token)
    storage.write_whole(path, receipt)
    md5, sha256, _size = storage.digest(path)
    facts = storage.facts(path)
    assert facts is not None
    return Laid(token, facts, md5, sha256)


def put(upload: Upload, delivery_id: int, laid: Laid) -> None:
    """The RECEIPT as a file beside what was dropped."""
    folder, name, now = folder_of(upload.name), RECEIPT.format(delivery_id), clock.now()
    place = Place("incoming", upload.realm, f"{folder}/{name}" if folder else name)
    size = laid.facts.size
    arrival = Arrival(
        place, upload.account_id, upload.center_id, laid.token, 1, "portal", size=size, heard_at=now, began_at=now
    )
    row = Upload(
        **columns(arrival),
        state=states.RECEIVED,
        received_at=now,
        size=size,
        md5=laid.md5,
        sha256=laid.sha256,
        inode=laid.facts.inode,
        mtime_ns=laid.facts.mtime_ns,
    )
    db.session.add(row)
    db.session.flush()
    history.record("receive", actor=None, upload=row, after={"name": place.name, "size": size, "md5": laid.md5})
