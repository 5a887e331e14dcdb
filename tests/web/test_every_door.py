"""No form and no address of the API takes a text that a later step cannot carry: each text of each row of the access
matrix is sent once with such a character in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from tests.snapshots import keep, put_back
from tests.web.matrix.rows import ANYONE, Row
from tests.web.test_access_matrix import arrive, stage, states

UNFIT = "\uffff"
KEPT = r"\uffff"  # as rows of a table print it, and as JSON in them may write it
# What was refused: the address of a failed sign-in, and what a draft gives back to be mended, with its reason.
ASIDE = ("throttle.key", "dataset.pending")
CHOSEN = ("field", "section", "about")  # by the page, not typed: what a text is for


def tainted(value: Any) -> Iterator[Any]:
    """A body with the character at the end of one of its texts, for each of them."""
    if isinstance(value, str):
        yield value + UNFIT
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from (value | {name: other} for other in tainted(part) if name not in CHOSEN)
    elif isinstance(value, list):
        for n, part in enumerate(value):
            yield from ([*value[:n], other, *value[n + 1 :]] for other in tainted(part))


def bodies(row: Row) -> Iterator[Row]:
    if row.json is not None:
        yield from (replace(row, json=json) for json in tainted(row.json))
    elif row.raw is None:
        yield from (replace(row, data=data) for data in tainted(row.data))
    elif row.raw.isascii():
        yield replace(row, raw=row.raw + UNFIT.encode())


def kept(path) -> list[str]:
    """The columns that hold the character now."""
    with closing(sqlite3.connect(path)) as connection:
        names = "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
        columns = connection.execute(f"{names} AND t.sql NOT LIKE '%VIRTUAL%'").fetchall()
        return [
            f"{table}.{column}"
            for table, column in columns
            if f"{table}.{column}" not in ASIDE
            and KEPT in str(connection.execute(f'SELECT "{column}" FROM "{table}"').fetchall())
        ]


def sender(row: Row) -> str:
    """Somebody who may send it; "" where nobody may."""
    return next((who for who in ("ines", "ruth", "stranger", *ANYONE) if row.expect[who] < 400), "")


def once(groups: list) -> list:
    """Each route in the first state in which somebody may send it something with a text."""
    seen: set[str] = set()
    left = []
    for group in groups:
        rows = [row for row in group.values[1] if row.endpoint not in seen and sender(row) and any(bodies(row))]
        seen |= {row.endpoint for row in rows}
        if rows:
            left.append(pytest.param(group.values[0], rows, id=group.id))
    return left


@pytest.mark.full
@pytest.mark.parametrize(("table", "rows"), once(states(reading=False)))
def test_no_row_is_kept_that_xml_cannot_carry(app, settings, tmp_path, table, rows: list[Row]):
    """By whoever may send it. The answer is a refusal with a sentence, or the character is not kept."""
    names, faults = stage(table, rows[0].state), []
    visitors = {who: arrive(app, who) for who in {sender(row) for row in rows}}
    keep(settings, tmp_path / "staged")
    for row in rows:
        for body in bodies(row):
            put_back(settings, tmp_path / "staged")
            status = visitors[sender(row)].ask(app, body, names)
            found = kept(settings.instance / "portal.db")
            if status >= 500 or found:
                faults.append(f"{row.label}: {status}, kept in {found}; {body.json or body.data or body.raw}")
    assert faults == []
