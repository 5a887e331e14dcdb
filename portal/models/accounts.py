"""Who: centers, accounts, their secrets (hashed) and the counters of the shared throttle."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import states
from portal.db import Base


class Center(Base):
    """The group or institute accounts belong to. Quotas in bytes; NULL means the setting's default."""

    __tablename__ = "center"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    quota_open: Mapped[int | None]
    quota_protected: Mapped[int | None]
    created_at: Mapped[int]


class Account(Base):
    """One person or program. `epoch` counts up when every session, web and FTP, must end."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("role IN ('submitter', 'curator')", name="role"),
        CheckConstraint(states.ACCOUNT.check(), name="state"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    center_id: Mapped[int] = mapped_column(ForeignKey("center.id"), index=True)
    role: Mapped[str] = mapped_column(default="submitter")
    password_hash: Mapped[str | None]
    ftp_password_hash: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="new")
    epoch: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[int | None]
    created_at: Mapped[int]

    center: Mapped[Center] = relationship(lazy="joined")

    # What the web's sign-in asks of a person.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    @property
    def is_curator(self) -> bool:
        return self.role == "curator"


class Token(Base):
    """A secret handed out once; only its SHA-256 is kept. Kinds: session, api, verify, reset."""

    __tablename__ = "token"
    __table_args__ = (
        CheckConstraint("kind IN ('session', 'api', 'verify', 'reset')", name="kind"),
        Index(None, "account_id", "kind"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str] = mapped_column(default="")
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    used_at: Mapped[int | None]

    account: Mapped[Account] = relationship()


class Throttle(Base):
    """Failed attempts of one key (user, address or all) since a moment."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[int]
    count: Mapped[int]


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
