"""What is deposited: datasets and the files they declare, and the counters of accessions."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import states
from portal.db import Base
from portal.models.accounts import Account, Center
from portal.models.uploads import Upload

# The files that take bytes by their name; word by word the condition of the index that finds them.
WANTING = text("file.state IN ('waiting', 'failed', 'error')")


class Dataset(Base):
    """The unit of deposit and release. `access` is the policy, `realm` is where its archived bytes lie.

    `version` counts submissions of a changed text, `approved_version` the one a curator approved. `pending` holds a
    typed but not yet applied edit (JSON). `release_date` is the first open day (ISO), in the site's zone.
    `recorded_submitter` is the name that its record keeps, whoever owns it later; empty while that is the owner's.
    """

    __tablename__ = "dataset"
    __table_args__ = (
        CheckConstraint(states.DATASET.check(), name="state"),
        CheckConstraint("access IN ('open', 'controlled')", name="access"),
        CheckConstraint("realm IN ('open', 'protected')", name="realm"),
        Index(None, "center_id", "id"),
        Index(None, "account_id", "id"),
        Index(None, "account_id", "state", "updated_at", "id"),
        Index(None, "state", "release_date"),
        Index(None, "state", "released_at", "id"),
        Index(None, "state", "access", "data_type"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    center_id: Mapped[int] = mapped_column(ForeignKey("center.id"))
    accession: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    species: Mapped[str] = mapped_column(default="")
    taxon_id: Mapped[int | None]
    investigator: Mapped[str] = mapped_column(default="")
    data_type: Mapped[str] = mapped_column(default="")
    bioproject: Mapped[str] = mapped_column(default="")
    filing_number: Mapped[str] = mapped_column(default="")
    human: Mapped[bool] = mapped_column(default=False)
    access: Mapped[str] = mapped_column(default="open")
    realm: Mapped[str] = mapped_column(default="open")
    release_date: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=states.DRAFT)
    version: Mapped[int] = mapped_column(default=0)
    approved_version: Mapped[int | None]
    next_n: Mapped[int] = mapped_column(default=1)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"))
    pending: Mapped[str | None]
    release_wanted_at: Mapped[int | None]
    released_at: Mapped[int | None]
    submitted_at: Mapped[int | None]
    first_submitted_at: Mapped[int | None]
    bag_dirty: Mapped[bool] = mapped_column(default=False)
    bag_generation: Mapped[int] = mapped_column(default=0)
    search_text: Mapped[str] = mapped_column(default="")
    created_at: Mapped[int]
    updated_at: Mapped[int]
    recorded_submitter: Mapped[str | None]

    account: Mapped[Account] = relationship()
    center: Mapped[Center] = relationship()

    @property
    def submitter(self) -> str:
        """The name that the record gives for its submitter; a handover or a new name of the owner leaves it alone."""
        return self.recorded_submitter or self.account.name


class Editor(Base):
    """Somebody whom the owner of a dataset invited to edit it and to send into it. `account_id` is set once they
    accept; until then the address alone says who may."""

    __tablename__ = "editor"
    __table_args__ = (
        Index(None, "dataset_id", "email", unique=True),
        Index(None, "account_id", "dataset_id"),
        Index(None, "email"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    email: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    invited_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    invited_at: Mapped[int]
    accepted_at: Mapped[int | None]

    dataset: Mapped[Dataset] = relationship()
    account: Mapped[Account | None] = relationship(foreign_keys=[account_id])
    inviter: Mapped[Account] = relationship(foreign_keys=[invited_by])


class File(Base):
    """A data file that a dataset declares; it exists before its bytes do. `n` gives its accession, OMIX000001-01.

    `size`, `md5`, `sha256`, `archive_path` (relative to the dataset's bag) are of the archived bytes. `replaces_id` is
    the archived file whose place it takes once it is archived itself.
    """

    __tablename__ = "file"
    __table_args__ = (
        CheckConstraint(states.FILE.check(), name="state"),
        CheckConstraint("fixity IN ('ok', 'bad', 'unknown')", name="fixity"),
        CheckConstraint("unit IN ('samples', 'files')", name="unit"),
        Index(None, "dataset_id", "n", unique=True),
        Index(
            "uq_file_live_name",
            "dataset_id",
            "name",
            unique=True,
            sqlite_where=text("state NOT IN ('removed', 'replaced') AND replaces_id IS NULL"),
            postgresql_where=text("state NOT IN ('removed', 'replaced') AND replaces_id IS NULL"),
        ),
        Index(
            "uq_file_replaces_id",
            "replaces_id",
            unique=True,
            sqlite_where=text("replaces_id IS NOT NULL"),
            postgresql_where=text("replaces_id IS NOT NULL"),
        ),
        Index(
            "uq_file_upload_id",
            "upload_id",
            unique=True,
            sqlite_where=text("upload_id IS NOT NULL"),
            postgresql_where=text("upload_id IS NOT NULL"),
        ),
        Index(None, "dataset_id", "state", "n"),
        Index("ix_file_by_name", "dataset_id", "name", "n", "state"),
        Index(
            "ix_file_problem",
            "dataset_id",
            "error",
            "upload_id",
            sqlite_where=text("state IN ('failed', 'error')"),
            postgresql_where=text("state IN ('failed', 'error')"),
        ),
        Index(
            "ix_file_wanting_base",
            "base",
            sqlite_where=text("state IN ('waiting', 'failed', 'error')"),
            postgresql_where=text("state IN ('waiting', 'failed', 'error')"),
        ),
        Index(
            "ix_file_read",
            "dataset_id",
            "fixity_at",
            sqlite_where=text("state = 'archived'"),
            postgresql_where=text("state = 'archived'"),
        ),
        Index(
            "ix_file_bad",
            "dataset_id",
            sqlite_where=text("state = 'archived' AND fixity = 'bad'"),
            postgresql_where=text("state = 'archived' AND fixity = 'bad'"),
        ),
        Index(
            "ix_file_fixity_at",
            "fixity_at",
            sqlite_where=text("state = 'archived'"),
            postgresql_where=text("state = 'archived'"),
        ),
        Index(
            "ix_file_declared_md5",
            "declared_md5",
            sqlite_where=text("state IN ('waiting', 'received')"),
            postgresql_where=text("state IN ('waiting', 'received')"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    n: Mapped[int]
    name: Mapped[str]
    base: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    data_type: Mapped[str] = mapped_column(default="")
    samples: Mapped[int | None]
    unit: Mapped[str] = mapped_column(default="samples")
    declared_md5: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=states.WAITING)
    error: Mapped[str | None]
    comment: Mapped[str] = mapped_column(default="")
    upload_id: Mapped[int | None] = mapped_column(ForeignKey("upload.id"))
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("file.id"))
    replaces_id: Mapped[int | None]
    size: Mapped[int | None]
    md5: Mapped[str | None]
    sha256: Mapped[str | None]
    archive_path: Mapped[str | None]
    archived_at: Mapped[int | None]
    fixity: Mapped[str | None]
    fixity_at: Mapped[int | None]
    created_at: Mapped[int]
    updated_at: Mapped[int]

    dataset: Mapped[Dataset] = relationship()
    upload: Mapped[Upload | None] = relationship(lazy="joined")


# The counter that stands at 1 while the catalogue is made again from the bags.
REBUILDING = "rebuild"


class Counter(Base):
    """The next number of a series that is never reused, such as the accessions of a prefix."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int]


class DownloadDay(Base):
    """Downloads of one dataset on one day: files served and bytes sent."""

    __tablename__ = "download_day"

    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    files: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(default=0)
