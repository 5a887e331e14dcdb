"""Sharing links, how often they were looked at, and publications that tell of a dataset."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base
from portal.models.accounts import Account
from portal.models.datasets import Dataset


class Link(Base):
    """A secret address that shows an unreleased dataset and serves no bytes; only the hash of its token is kept.

    `ended_at` is the release that made it useless, `revoked_at` the moment somebody ended it.
    """

    __tablename__ = "link"
    __table_args__ = (Index(None, "dataset_id", "n", unique=True), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    n: Mapped[int]
    hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    anonymised: Mapped[bool] = mapped_column(default=True)
    made_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    revoked_at: Mapped[int | None]
    ended_at: Mapped[int | None]

    dataset: Mapped[Dataset] = relationship()
    maker: Mapped[Account] = relationship()


class LinkView(Base):
    """How often a link was opened in one hour; nothing about who opened it."""

    __tablename__ = "link_view"

    link_id: Mapped[int] = mapped_column(ForeignKey("link.id"), primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class Publication(Base):
    """A paper that names a dataset: recorded by a person or a list, or found by the watcher."""

    __tablename__ = "publication"
    __table_args__ = (
        CheckConstraint("kind IN ('doi', 'pmid')", name="kind"),
        CheckConstraint("source IN ('person', 'list', 'watcher')", name="source"),
        Index(None, "dataset_id", "kind", "value", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    kind: Mapped[str]
    value: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="person")
    added_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[int]
