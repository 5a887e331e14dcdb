"""Work owed. The row is the truth; the queue only carries its id to a worker."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal import states
from portal.db import Base

_OPEN = text("state IN ('queued', 'running')")
_RUNNING = text("state = 'running'")


class Job(Base):
    """What is to be done to which subject. A worker holds it while its lease runs and its fence is the row's.

    `key` makes an owed job unique while open; `again` asks for another run when a change came during this one.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(states.JOB.check(), name="state"),
        Index("uq_job_open_key", "key", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "state", "not_before", "priority", "id"),
        Index("ix_job_key", "key"),
        Index("ix_job_dataset_running", "dataset_id", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_job_upload_running", "upload_id", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    upload_id: Mapped[int | None] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"))
    key: Mapped[str]
    state: Mapped[str] = mapped_column(default=states.QUEUED)
    priority: Mapped[int] = mapped_column(default=5)
    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=5)
    not_before: Mapped[int]
    owner: Mapped[str | None]
    lease_until: Mapped[int | None]
    fence: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    rate: Mapped[int | None]
    error: Mapped[str] = mapped_column(default="")
    again: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int]
    ended_at: Mapped[int | None]
