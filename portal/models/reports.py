"""Batch reports that were written: which center, which day, where the file lies."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base
from portal.models.accounts import Center

_PUBLIC = text("center_id IS NULL")


class Report(Base):
    """One file of the telemetry, whole on disk. `center_id` empty: the public mirror. `path` is relative to the
    instance; `upto_event` is the last event that had happened when it was begun."""

    __tablename__ = "report"
    __table_args__ = (
        CheckConstraint("kind IN ('accessions', 'metadata', 'files', 'usage', 'usage_protected')", name="kind"),
        Index("uq_report_center_id", "center_id", "kind", "day", "full", unique=True),
        Index("uq_report_public", "kind", "day", "full", unique=True, sqlite_where=_PUBLIC, postgresql_where=_PUBLIC),
        Index(None, "kind", "day"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    center_id: Mapped[int | None] = mapped_column(ForeignKey("center.id"))
    kind: Mapped[str]
    day: Mapped[str]
    full: Mapped[bool] = mapped_column(default=False)
    path: Mapped[str]
    size: Mapped[int]
    upto_event: Mapped[int]
    made_at: Mapped[int]

    center: Mapped[Center | None] = relationship()

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]
