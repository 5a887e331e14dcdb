"""What is said about a dataset between its submitter and the curators, and what a curator last saw of it."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base
from portal.models.accounts import Account
from portal.models.datasets import Dataset, File

SECTIONS = ("whole", "info", "bioproject", "release", "files", "filing")


class Remark(Base):
    """One remark on a section of a dataset or on one of its files. An answer names what it answers and lies where that
    lies. `public`: the submitter reads it; else curators only. `turn` names the decision that carried it.
    """

    __tablename__ = "remark"
    __table_args__ = (
        CheckConstraint(f"section IN ({', '.join(repr(section) for section in SECTIONS)})", name="section"),
        Index(None, "dataset_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    answers_id: Mapped[int | None] = mapped_column(ForeignKey("remark.id", ondelete="CASCADE"))
    section: Mapped[str] = mapped_column(default="whole")
    file_id: Mapped[int | None] = mapped_column(ForeignKey("file.id", ondelete="CASCADE"))
    public: Mapped[bool] = mapped_column(default=True)
    turn: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=0)
    text: Mapped[str]
    done_at: Mapped[int | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    mailed_at: Mapped[int | None]
    created_at: Mapped[int]

    dataset: Mapped[Dataset] = relationship()
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    file: Mapped[File | None] = relationship()


class Look(Base):
    """What an account saw of a dataset: up to which event, up to which at the visit before (`since_id`), and behind
    which event a mail told of changes already."""

    __tablename__ = "look"
    __table_args__ = (Index(None, "dataset_id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    since_id: Mapped[int]
    event_id: Mapped[int]
    told_id: Mapped[int | None]
    version: Mapped[int]
    at: Mapped[int]
