"""How many files and components of a dataset stand in each state, which the database keeps by itself; how far the
indexes of letters go."""

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


class TextMark(Base):
    """Up to which row an index of letters goes; what came later is looked through."""

    __tablename__ = "text_mark"

    name: Mapped[str] = mapped_column(primary_key=True)
    upto: Mapped[int]
