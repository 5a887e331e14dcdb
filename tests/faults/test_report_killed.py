"""A worker is killed while it writes reports: the old ones stay whole, the next worker writes them all."""

import gzip

import pytest

from portal import clock, db
from portal.domain.shared import job_queue
from portal.jobs.worker import Worker
from portal.maintenance import reconcile
from tests import depositing as deposit
from tests.killed import work_until_killed

pytestmark = pytest.mark.usefixtures("receiving")


def shown(settings) -> dict[str, bytes]:
    """What readers see of the center's reports, by name; packed ones are read to their end."""
    folder = settings.instance / "outgoing" / "1" / "Files"
    found = {path.name: path.read_bytes() for path in folder.glob("[!.]*")}
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in found.items()}


def enqueue() -> None:
    """Those of the center first, so that it is they that are being written."""
    with db.transaction():
        job_queue.enqueue("report", key="report:1", priority=1)


@pytest.mark.parametrize("step", ["written:1", "placed:1", "placed:2"])
def test_reports_killed(settings, monkeypatch, step):
    settings.report_hour = 0
    monkeypatch.setenv("OMIX_REPORT_HOUR", "0")
    clock.shift(-clock.DAY)
    deposit.submit({"a.bin": b"one"})
    Worker().drain()
    enqueue()
    Worker().drain()
    before = shown(settings)
    assert len(before) == 5

    clock.reset()
    deposit.send("b.bin", b"two")
    enqueue()
    work_until_killed(settings, f"report.{step}:kill")

    torn = shown(settings)
    assert {name: torn[name] for name in before if name != "usage_report.txt"} == {
        name: data for name, data in before.items() if name != "usage_report.txt"
    }
    assert torn["usage_report.txt"].startswith(b"Usage report at ")
    reconcile.run()
    for _ in range(3):
        Worker().drain()
        clock.shift(clock.MINUTE)
    made = shown(settings).keys() - before.keys()
    assert any(name.startswith("OMIX_Files_Northmere-Institute_") for name in made)
    assert not list((settings.instance / "outgoing" / "1" / "Files").glob(".*.part"))
