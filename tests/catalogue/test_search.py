"""Search over released datasets: every word anywhere in the text, by the index of letters and without it alike."""

import pytest

from portal import db
from portal.domain.datasets import datasets
from portal.models import Dataset
from portal.queries.catalogue import released_datasets
from tests.conftest import INES, RUTH
from tests.state_guard import states_unguarded


def release(title: str, **fields) -> int:
    with states_unguarded():
        made = datasets.create(actor=INES.account, title=title, description="Plain.", species="Mus musculus", **fields)
        made.state, made.released_at = "released", made.id
        return made.id


def found(words: str) -> list[str]:
    return [row[0].title for row in released_datasets.page(released_datasets.matching(words=words)).rows]


@pytest.fixture
def titles(database):
    for title in (
        "Kidney organoids",
        "Liver under oxidative-stress",
        "100% of 50_000 cells",
        "肝脏代谢组",
        'Say "yes" \\ no',
    ):
        release(title)


@pytest.mark.parametrize("rare", [2000, 0])
@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("organoid", 1),
        ("KIDNEY", 1),
        ("stress liver", 1),
        ("stress kidney", 0),
        ("dative-str", 1),
        ("100%", 1),
        ("50_0", 1),
        ("5_00", 0),
        ("代谢组", 1),
        ("肝脏", 1),
        ('"yes"', 1),
        ("\\", 1),
        ("mus", 5),
        ("ki", 1),
        ("okafor", 5),
        ("northmere", 5),
        ("AND OR NOT", 0),
        ("a" * 500, 0),
        ("\0", 5),
    ],
)
def test_words_are_found_wherever_they_stand(titles, monkeypatch, rare, words, count):
    monkeypatch.setattr(released_datasets, "RARE", rare)
    assert len(found(words)) == count


def test_index_follows_every_change(titles):
    draft = release("Hearts")
    assert found("hearts") == ["Hearts"]
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, draft), {"title": "Lungs"}, actor=RUTH.account)
    assert (found("hearts"), found("lungs")) == ([], ["Lungs"])
    with states_unguarded():
        db.session.delete(db.session.get_one(Dataset, draft))
    assert found("lungs") == []
