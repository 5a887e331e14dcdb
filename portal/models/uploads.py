"""What arrived: uploads. Their names live here; their bytes lie under a token in the area."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import states
from portal.db import Base
from portal.models.accounts import Account

_BOXED = text(f"dataset_id IS NULL AND state IN ({', '.join(repr(state) for state in states.NAMED)})")
_CUT_IN_BOX = text("dataset_id IS NULL AND state = 'incomplete'")
_CUT = text("state = 'incomplete'")
_GIVEN = text("dataset_id IS NOT NULL")
FAULTY = text("state = 'received' AND error IS NOT NULL")
NEW = text("inspection IS NULL AND state IN ('received', 'checking', 'archived')")
# Queries that name these conditions word by word are answered from the indexes that have them.
HERE = text(f"state IN ({', '.join(repr(state) for state in (states.RECEIVING, *states.LISTED))})")
MAY_EXPIRE = text(
    f"state IN ({', '.join(repr(state) for state in (states.INCOMPLETE, states.RECEIVED, states.FAILED))})"
)


class Upload(Base):
    """Bytes that arrived by FTP, browser or API, at area/<realm>/<account id>/<token>.

    `md5` and `sha256` are valid for exactly (inode, size, mtime_ns). `announced` is the size the client named first.
    `fence` counts the sessions that wrote; a session with an older fence may not. `resumed` bytes are read again by a
    job. `dataset_id` is the dataset that the bytes belong to; without it they lie in the drop box of their sender,
    where a name is borne once. `taken_at`: they lay in that box first, and show there until they are archived. `name`
    stays as it was sent. `area` is 'incoming' or 'test' (checked, never loaded). `warned_at`: its owner was told that
    it will expire. `inspection` tells whether the bytes were looked into: None (not yet), 'owed' to a job of its own,
    'inspected', or 'unchecked' where a bound ended it.
    """

    __tablename__ = "upload"
    __table_args__ = (
        CheckConstraint(states.UPLOAD.check(), name="state"),
        CheckConstraint("realm IN ('open', 'protected')", name="realm"),
        CheckConstraint("area IN ('incoming', 'test')", name="area"),
        # A cut resend never takes the place of whole bytes: one whole and one incomplete upload may share a name.
        Index(
            "uq_upload_live_name",
            "account_id",
            "area",
            "realm",
            "name",
            unique=True,
            sqlite_where=_BOXED,
            postgresql_where=_BOXED,
        ),
        Index(
            "uq_upload_incomplete_name",
            "account_id",
            "area",
            "realm",
            "name",
            unique=True,
            sqlite_where=_CUT_IN_BOX,
            postgresql_where=_CUT_IN_BOX,
        ),
        Index(
            "uq_upload_incomplete_of_dataset",
            "dataset_id",
            "name",
            unique=True,
            sqlite_where=_CUT,
            postgresql_where=_CUT,
        ),
        Index("ix_upload_of_dataset", "dataset_id", "name", sqlite_where=_GIVEN, postgresql_where=_GIVEN),
        Index(None, "account_id", "area", "realm", "name"),
        Index(None, "account_id", "base"),
        Index(None, "center_id", "id"),
        Index(None, "center_id", "state", "id"),
        Index(None, "account_id", "id"),
        # Tracking: a page of each state and realm in the order of arrival, whatever lies between.
        Index("ix_upload_tracked", "account_id", "state", "realm", "created_at", "id"),
        Index("ix_upload_typed", "account_id", "file_type", "state", "realm", "created_at", "id"),
        # The same in the other orders, with what else is asked for.
        Index("ix_upload_by_name", "account_id", "state", "realm", "name", "id", "created_at", "file_type"),
        Index("ix_upload_by_size", "account_id", "state", "realm", "size", "id", "created_at", "file_type"),
        # What lies in the areas, so that its sum is read from the index alone.
        Index(
            "ix_upload_room",
            "center_id",
            "realm",
            "account_id",
            "size",
            "state",
            sqlite_where=HERE,
            postgresql_where=HERE,
        ),
        Index("ix_upload_expiring", "state", "received_at", sqlite_where=MAY_EXPIRE, postgresql_where=MAY_EXPIRE),
        Index(None, "md5"),
        Index("ix_upload_faulty", "account_id", "error", sqlite_where=FAULTY, postgresql_where=FAULTY),
        Index("ix_upload_new", "id", sqlite_where=NEW, postgresql_where=NEW),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    center_id: Mapped[int] = mapped_column(ForeignKey("center.id"))
    realm: Mapped[str] = mapped_column(default="open")
    area: Mapped[str] = mapped_column(default="incoming")
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"))
    taken_at: Mapped[int | None]
    name: Mapped[str]
    base: Mapped[str]
    size: Mapped[int] = mapped_column(default=0)
    announced: Mapped[int | None]
    md5: Mapped[str | None]
    sha256: Mapped[str | None]
    file_type: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=states.RECEIVING)
    error: Mapped[str | None]
    detail: Mapped[str] = mapped_column(default="")
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("upload.id"))
    via: Mapped[str] = mapped_column(default="ftp")
    inode: Mapped[int | None]
    mtime_ns: Mapped[int | None]
    resumed: Mapped[bool] = mapped_column(default=False)
    fence: Mapped[int] = mapped_column(default=0)
    bytes_done: Mapped[int] = mapped_column(default=0)
    rate: Mapped[int | None]
    heard_at: Mapped[int]
    received_at: Mapped[int | None]
    loaded_at: Mapped[int | None]
    inspection: Mapped[str | None]
    inspected_at: Mapped[int | None]
    member_count: Mapped[int | None]
    warned_at: Mapped[int | None]
    created_at: Mapped[int]

    account: Mapped[Account] = relationship()


class WireFault(Base):
    """What went wrong on the wire for an account, kept for the portal to show with its remedy."""

    __tablename__ = "wire_fault"
    __table_args__ = (Index(None, "account_id", "at"), Index(None, "address", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    address: Mapped[str]
    kind: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    at: Mapped[int]


class Folder(Base):
    """One folder of an area, by its path without leading slash."""

    __tablename__ = "folder"
    __table_args__ = (CheckConstraint("realm IN ('open', 'protected')", name="realm"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    area: Mapped[str] = mapped_column(primary_key=True)
    realm: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[int]


class DatasetFolder(Base):
    """One folder that a client made in the place of a dataset, by its path without leading slash."""

    __tablename__ = "dataset_folder"

    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[int]


class Resumable(Base):
    """One announced upload under the key in its address. `token` names its bytes in the area once some came,
    `upload_id` the upload once all did."""

    __tablename__ = "resumable"
    __table_args__ = (
        CheckConstraint("realm IN ('open', 'protected')", name="realm"),
        Index(None, "account_id", "realm", "name"),
        Index(None, "expires_at"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    realm: Mapped[str]
    name: Mapped[str]
    length: Mapped[int]
    md5: Mapped[str | None]
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id", ondelete="SET NULL"))
    described: Mapped[str] = mapped_column(default="")
    token: Mapped[str | None]
    upload_id: Mapped[int | None] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"))
    created_at: Mapped[int]
    expires_at: Mapped[int]


class Member(Base):
    """A file inside an uploaded tar or zip, as it was read through, never extracted. `n` counts from 1 in its order.

    `md5` is missing where the bytes could not be read (encrypted, sparse); `error` is a word of the vocabulary.
    """

    __tablename__ = "member"
    __table_args__ = ({"sqlite_with_rowid": False},)

    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    size: Mapped[int]
    md5: Mapped[str | None]
    file_type: Mapped[str]
    error: Mapped[str | None]
