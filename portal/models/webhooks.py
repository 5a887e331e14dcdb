"""Where an account wants its events sent, and what came of the last attempts."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import states
from portal.db import Base
from portal.models.accounts import Account


class Webhook(Base):
    """One address of one account. Every event up to `cursor` was delivered or does not concern the account.

    `secret` stands here as it is, because every message is signed with it. `attempts` failed since `failing_since`.
    """

    __tablename__ = "webhook"
    __table_args__ = (CheckConstraint(states.WEBHOOK.check(), name="state"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    address: Mapped[str]
    label: Mapped[str]
    secret: Mapped[str]
    state: Mapped[str] = mapped_column(default=states.ACTIVE)
    why: Mapped[str] = mapped_column(default="")
    cursor: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[int | None]
    next_at: Mapped[int | None]
    delivered_at: Mapped[int | None]
    test_at: Mapped[int | None]
    created_at: Mapped[int]

    account: Mapped[Account] = relationship()


class WebhookTry(Base):
    """One attempt: the answer's status, or none where no answer came, and a sentence. `event_id` NULL: a test."""

    __tablename__ = "webhook_try"
    __table_args__ = (Index(None, "webhook_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    at: Mapped[int]
    message: Mapped[str]
    action: Mapped[str]
    event_id: Mapped[int | None]
    status: Mapped[int | None]
    says: Mapped[str]
    took: Mapped[int]
