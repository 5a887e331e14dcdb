"""Paging by key: every row once, in both directions, whatever the cursor is."""

import pytest
from sqlalchemy import select

from portal import db
from portal.domain.datasets import datasets
from portal.models import Dataset
from portal.queries.paging import keyset


@pytest.fixture
def seven(ines):
    with db.transaction():
        for n in range(7):
            datasets.create(actor=ines.account, title=f"D{n}")


def page(**cursor):
    found = keyset.fetch(select(Dataset), (Dataset.updated_at, Dataset.id), key, limit=3, **cursor)
    return [row[0].id for row in found.rows], found.newer, found.older


def key(row):
    return row[0].updated_at, row[0].id


def test_pages_follow_each_other_without_gap_or_double(seven):
    first, newer, older = page()
    second, _, further = page(after=older)
    third, _, end = page(after=further)

    assert (first, second, third) == ([7, 6, 5], [4, 3, 2], [1])
    assert (newer, end) == ("", "")


def test_way_back_leads_to_the_same_rows(seven):
    _, _, older = page()
    second, newer, further = page(after=older)
    _, back, _ = page(after=further)

    assert page(before=newer)[0] == [7, 6, 5]
    assert page(before=newer)[1] == ""
    assert page(before=back)[0] == second


@pytest.mark.parametrize("cursor", ["x", "1", "1-2-3", "-1-2", "9" * 30 + "-1", "²-1", ""])
def test_cursor_that_is_none_means_the_first_page(seven, cursor):
    assert page(after=cursor)[0] == page(before=cursor)[0] == [7, 6, 5]
