"""Resumable uploads (tus): what a client announced, until its bytes have come or it gives up."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class Resumable(Base):
    """One announced upload under the key in its address. `token` names its bytes in the area once some came,
    `upload_id` the upload once all did."""

    __tablename__ = "resumable"
    __table_args__ = (
        CheckConstraint("realm IN ('open', 'protected')", name="realm"),
        Index(None, "account_id", "realm", "name"),
        Index(None, "expires_at"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    realm: Mapped[str]
    name: Mapped[str]
    length: Mapped[int]
    md5: Mapped[str | None]
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id", ondelete="SET NULL"))
    described: Mapped[str] = mapped_column(default="")
    token: Mapped[str | None]
    upload_id: Mapped[int | None] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"))
    created_at: Mapped[int]
    expires_at: Mapped[int]
