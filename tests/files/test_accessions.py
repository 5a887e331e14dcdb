"""Accessions under pressure: many at once, each its own, and the highest is remembered."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from portal import db, errors
from portal.domain.datasets import datasets, reviews
from portal.domain.files import accessions
from portal.models import Dataset, Event
from tests.conftest import INES, RUTH


def submitted(title: str) -> int:
    with db.transaction():
        made = datasets.create(
            actor=INES.account,
            title=title,
            description="D",
            species="Mus musculus",
            access="open",
            files=[{"name": f"{title}.bin"}],
        )
        datasets.submit(made, actor=INES.account)
        return made.id


def one() -> str:
    with db.transaction():
        return accessions.block("OMIX", 1)[0]


def test_accessions_given_in_parallel_are_distinct(database, settings):
    ready = threading.Barrier(8)

    def many(_thread: int) -> list[str]:
        ready.wait()
        try:
            return [one() for _ in range(6)]
        finally:
            db.end()

    with ThreadPoolExecutor(8) as pool:
        given = [accession for found in pool.map(many, range(8)) for accession in found]

    assert sorted(given) == [f"OMIX{n:06d}" for n in range(1, 49)]
    assert (settings.keys / "accession-high-water").read_text() == "48\n"


def test_highest_number_is_remembered_whoever_writes_last(database, settings, monkeypatch):
    """Who committed the lower number is held up until the higher one could have been written."""
    read, lock = accessions._high_water, accessions.keys.locked
    reading, other = threading.Event(), threading.Event()  # the other waits at the lock, or has written

    def held(series: str) -> int:
        found, first = read(series), not reading.is_set()
        reading.set()
        if first:
            assert other.wait(10)
        return found

    @contextmanager
    def locked(folder: Path) -> Iterator[None]:
        if reading.is_set():
            other.set()
        with lock(folder):
            yield

    monkeypatch.setattr(accessions, "_high_water", held)
    monkeypatch.setattr(accessions.keys, "locked", locked)
    lower = threading.Thread(target=one)
    lower.start()
    assert reading.wait(10)
    one()
    other.set()
    lower.join(10)

    assert (settings.keys / "accession-high-water").read_text() == "2\n"


def test_parallel_decisions_of_a_dataset_end_in_one(database):
    dataset_id = submitted("One")
    ready, won, lost = threading.Barrier(50), [], []

    def decide(n: int) -> None:
        try:
            actor = RUTH.account
            db.end()
            ready.wait()
            with db.transaction():
                dataset = db.session.get_one(Dataset, dataset_id)
                if n % 2:
                    reviews.approve(dataset, version=dataset.version, actor=actor, note=f"Decision {n}.")
                else:
                    reviews.return_(dataset, actor=actor, note=f"Decision {n}.")
            won.append(n)
        except errors.Conflict as error:
            lost.append(error.sentence)
        finally:
            db.end()

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (len(won), len(lost)) == (1, 49)
    told = list(db.session.scalars(select(Event.note).where(Event.action.in_(("approve", "return")))))
    assert told == [f"Decision {won[0]}."]
    assert db.session.get_one(Dataset, dataset_id).state == ("approved" if won[0] % 2 else "returned")
