"""Metadata objects: components with their XML, what they refer to, the files they name; and what was sent as XML."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import states
from portal.db import Base
from portal.models.accounts import Account, Center
from portal.models.datasets import Dataset

_LIVE = text("status <> 'withdrawn'")


class Component(Base):
    """A STUDY, SAMPLE, EXPERIMENT, RUN or ANALYSIS; the dataset itself is the one of type SUBMISSION.

    `xml` is the canonical, annotated text of the last version that loaded and `md5` its digest; `sent` is what came
    last, as it came. `state` error: that could not be loaded, `comment` says why. `status` is empty where the component
    follows its dataset.
    """

    __tablename__ = "component"
    __table_args__ = (
        CheckConstraint(states.COMPONENT.check(), name="state"),
        CheckConstraint("type IN ('SUBMISSION', 'STUDY', 'SAMPLE', 'EXPERIMENT', 'RUN', 'ANALYSIS')", name="type"),
        CheckConstraint("origin IN ('form', 'xml')", name="origin"),
        CheckConstraint("status IN ('', 'suppressed', 'withdrawn')", name="status"),
        Index(
            "uq_component_live_alias",
            "center_id",
            "type",
            "alias",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(None, "dataset_id", "type", "id"),
        Index(None, "dataset_id", "state", "id"),
        Index(None, "dataset_id", "type", "state", "id"),
        Index(None, "dataset_id", "id"),
        Index(None, "alias"),
        Index(None, "center_id", "id"),
        Index(None, "center_id", "updated_at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    center_id: Mapped[int] = mapped_column(ForeignKey("center.id"))
    type: Mapped[str]
    alias: Mapped[str]
    accession: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str] = mapped_column(default="")
    xml: Mapped[bytes | None] = mapped_column(deferred=True)
    md5: Mapped[str | None]
    sent: Mapped[bytes | None] = mapped_column(deferred=True)
    origin: Mapped[str] = mapped_column(default="xml")
    state: Mapped[str] = mapped_column(default=states.RECEIVED)
    status: Mapped[str] = mapped_column(default="")
    comment: Mapped[str] = mapped_column(default="")
    received_at: Mapped[int]
    updated_at: Mapped[int]
    published_at: Mapped[int | None]

    dataset: Mapped[Dataset] = relationship()
    center: Mapped[Center] = relationship()


class ComponentRef(Base):
    """A component refers to another: a RUN to its EXPERIMENT, that to its STUDY and SAMPLE."""

    __tablename__ = "component_ref"
    __table_args__ = (Index(None, "ref_id"),)

    component_id: Mapped[int] = mapped_column(ForeignKey("component.id"), primary_key=True)
    ref_id: Mapped[int] = mapped_column(ForeignKey("component.id"), primary_key=True)


class ComponentFile(Base):
    """A RUN or ANALYSIS names a file of its dataset."""

    __tablename__ = "component_file"
    __table_args__ = (Index(None, "file_id"),)

    component_id: Mapped[int] = mapped_column(ForeignKey("component.id"), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("file.id"), primary_key=True)


class Delivery(Base):
    """XML that somebody sent by API, page or FTP, and the RECEIPT that answered it."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("via IN ('api', 'web', 'ftp')", name="via"),
        Index(None, "account_id", "id"),
        Index(None, "dataset_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id"))
    via: Mapped[str]
    action: Mapped[str]
    loaded: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    receipt: Mapped[bytes] = mapped_column(deferred=True)
    at: Mapped[int]

    account: Mapped[Account] = relationship()
    dataset: Mapped[Dataset | None] = relationship()


class DeliveryUpload(Base):
    """A dropped file that was read as metadata: once."""

    __tablename__ = "delivery_upload"
    __table_args__ = (Index(None, "delivery_id"),)

    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id"), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
