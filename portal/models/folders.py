"""Folders made by a client while they are still empty; all others exist through the uploads in them."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class Folder(Base):
    """One folder of an area, by its path without leading slash."""

    __tablename__ = "folder"
    __table_args__ = (CheckConstraint("realm IN ('open', 'protected')", name="realm"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    area: Mapped[str] = mapped_column(primary_key=True)
    realm: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[int]
