"""Mails owed, and answers already given to a repeated request."""

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal import states
from portal.db import Base


class Mail(Base):
    """One mail in the outbox table; `key` keeps a job that ran twice from sending it twice."""

    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint(states.MAIL.check(), name="state"),
        Index(None, "state", "next_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    to: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued")
    attempt: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    next_at: Mapped[int]
    created_at: Mapped[int]
    sent_at: Mapped[int | None]


class Once(Base):
    """The answer to a form or call that must not act twice, by its idempotency key."""

    __tablename__ = "once"

    key: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int | None]
    answer: Mapped[str]
    at: Mapped[int]
