"""Who signs on through a provider: what it calls the person, and whose account that opens. No token of it is kept."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base
from portal.models.accounts import Account


class Identity(Base):
    """One person at one provider. `email` is what the provider said last; nobody is found by it."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str]
    created_at: Mapped[int]
    used_at: Mapped[int | None]

    account: Mapped[Account] = relationship()
