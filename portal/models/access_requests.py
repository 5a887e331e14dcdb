"""Access to controlled data: the terms of a dataset, who decides, requests (a granted one is the grant), messages."""

from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import states
from portal.db import Base
from portal.models.accounts import Account
from portal.models.datasets import Dataset, File

_OPEN = text(f"state IN ({', '.join(repr(state) for state in states.OPEN_REQUESTS)})")


class Terms(Base):
    """What a requester agrees to. Every change is a new version; without a dataset it is the site's default."""

    __tablename__ = "terms"
    __table_args__ = (
        Index(None, "dataset_id", "version", unique=True),
        Index(
            "uq_terms_default_version",
            "version",
            unique=True,
            sqlite_where=text("dataset_id IS NULL"),
            postgresql_where=text("dataset_id IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    version: Mapped[int]
    agreement: Mapped[str]
    uses: Mapped[list[str]] = mapped_column(JSON)
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    longest_days: Mapped[int]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[int]


class Decider(Base):
    """Somebody who decides on requests for a dataset, beside its submitter or in the committee."""

    __tablename__ = "decider"

    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    added_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    added_at: Mapped[int]

    account: Mapped[Account] = relationship(foreign_keys=[account_id], lazy="joined")


class Committee(Base):
    """A named committee that decides in place of the submitter; the deciders of the dataset are its members."""

    __tablename__ = "committee"

    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]


class Request(Base):
    """A person's plea for one controlled dataset; granted, the right to download from `from_at` until `until_at`.

    `version` counts up with each amendment. `whole` is False where only chosen files were granted. `turned_at` is when
    it last passed from one side to the other.
    """

    __tablename__ = "request"
    __table_args__ = (
        CheckConstraint(states.REQUEST.check(), name="state"),
        Index("uq_request_open", "dataset_id", "account_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "account_id", "id"),
        Index(None, "dataset_id", "id"),
        Index(None, "state", "until_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    terms_id: Mapped[int | None] = mapped_column(ForeignKey("terms.id"))
    state: Mapped[str] = mapped_column(default=states.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    purpose: Mapped[str] = mapped_column(default="")
    institution: Mapped[str] = mapped_column(default="")
    principal_investigator: Mapped[str] = mapped_column(default="")
    ethics: Mapped[str] = mapped_column(default="")
    answers: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    agreement: Mapped[str] = mapped_column(default="")
    agreed_at: Mapped[int | None]
    letter: Mapped[str | None]
    letter_name: Mapped[str] = mapped_column(default="")
    letter_size: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[int | None]
    turned_at: Mapped[int | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[int | None]
    whole: Mapped[bool] = mapped_column(default=True)
    from_at: Mapped[int | None]
    until_at: Mapped[int | None]
    ended_at: Mapped[int | None]
    renewal_asked_at: Mapped[int | None]
    created_at: Mapped[int]
    updated_at: Mapped[int]

    dataset: Mapped[Dataset] = relationship()
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    decider: Mapped[Account | None] = relationship(foreign_keys=[decided_by])
    terms: Mapped[Terms | None] = relationship()


class RequestMessage(Base):
    """What is said about a request. `turn` names the move that carried it; one that is not public is for deciders."""

    __tablename__ = "request_message"
    __table_args__ = (Index(None, "request_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    turn: Mapped[str] = mapped_column(default="")
    public: Mapped[bool] = mapped_column(default=True)
    text: Mapped[str] = mapped_column(default="")
    created_at: Mapped[int]

    account: Mapped[Account | None] = relationship()


class RequestFile(Base):
    """One of the files to which a grant is bound."""

    __tablename__ = "request_file"

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id", ondelete="CASCADE"), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("file.id"), primary_key=True)

    file: Mapped[File] = relationship()
