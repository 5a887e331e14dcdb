"""What an inspection found inside a package."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class Member(Base):
    """A file inside an uploaded tar or zip, as it was read through, never extracted. `n` counts from 1 in its order.

    `md5` is missing where the bytes could not be read (encrypted, sparse); `error` is a word of the vocabulary.
    """

    __tablename__ = "member"
    __table_args__ = ({"sqlite_with_rowid": False},)

    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    size: Mapped[int]
    md5: Mapped[str | None]
    file_type: Mapped[str]
    error: Mapped[str | None]
