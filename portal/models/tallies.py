"""What the database keeps by itself, and nobody writes: how many files and components of a dataset stand in each state,
and which uploads are free. And how far the indexes of letters go."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class FileTally(Base):
    """The files of a dataset in a state, and their bytes: of the archive, else those that arrived."""

    __tablename__ = "file_tally"

    dataset_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    bytes: Mapped[int]


class ComponentTally(Base):
    """The components of a dataset of a type, in a state, with a status."""

    __tablename__ = "component_tally"

    dataset_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class Unclaimed(Base):
    """An upload that arrived and that no file claims; `folder` ends in / or is empty."""

    __tablename__ = "unclaimed"
    __table_args__ = (
        Index("ix_unclaimed_newest", "account_id", "area", "upload_id", "realm"),
        Index("ix_unclaimed_folder", "account_id", "area", "folder", "upload_id", "realm"),
    )

    upload_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int]
    area: Mapped[str]
    realm: Mapped[str]
    folder: Mapped[str]


class TextMark(Base):
    """Up to which row an index of letters goes; what came later is looked through."""

    __tablename__ = "text_mark"

    name: Mapped[str] = mapped_column(primary_key=True)
    upto: Mapped[int]
