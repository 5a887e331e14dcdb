"""The append-only history: who, what, when, before, after. Triggers refuse UPDATE and DELETE."""

from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class Event(Base):
    """One line of the history. Subjects are plain numbers, so that the history outlives what it tells of."""

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "center_id", "id"),
        Index(None, "dataset_id", "id"),
        Index(None, "upload_id", "id"),
        Index(None, "actor_id", "id"),
        Index(None, "action", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int]
    actor_id: Mapped[int | None]
    center_id: Mapped[int | None]
    dataset_id: Mapped[int | None]
    file_id: Mapped[int | None]
    upload_id: Mapped[int | None]
    action: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(default="")
