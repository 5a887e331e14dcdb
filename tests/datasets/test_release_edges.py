"""Release at the edges: the first moment of a day in the zone of the site, also where the clock is put forward or
back, and on a box that was off for a week."""

from datetime import date, timedelta

import pytest

from portal import clock, config, db
from portal.domain.datasets import releases
from portal.jobs import periodic_tasks
from tests import depositing as deposit

pytestmark = pytest.mark.usefixtures("receiving")

# A day, its zone, and the hour and day of UTC at which it begins there.
EDGES = [
    ("2027-03-28", "Europe/Vienna", "2027-03-27T23:00"),  # put forward in this night
    ("2027-10-31", "Europe/Vienna", "2027-10-30T22:00"),  # put back in this night
    ("2027-11-01", "Europe/Vienna", "2027-10-31T23:00"),
    ("2027-09-05", "America/Santiago", "2027-09-05T04:00"),  # has no midnight
    ("2027-01-01", "Pacific/Kiritimati", "2026-12-31T10:00"),
    ("2028-02-29", "Asia/Shanghai", "2028-02-28T16:00"),
]


@pytest.fixture
def zone(settings):
    def use(name: str) -> None:
        config.use(settings.model_copy(update={"timezone": name}))

    yield use
    config.use(settings)


def approved(run_jobs, *release_dates: str) -> list[int]:
    """A dataset for each date."""
    made = [deposit.submit({f"{day}.bin": day.encode()}, release_date=day) for day in release_dates]
    run_jobs()
    for dataset_id in made:
        deposit.approve(dataset_id)
    run_jobs()
    return made


def turn(run_jobs) -> None:
    """What the clock of the worker does every minute, until nothing is left to do."""
    for _ in range(3):
        with db.transaction():
            periodic_tasks.enqueue_releases()
        run_jobs()


def go_to(moment: str) -> None:
    day, _t, hour = moment.partition("T")
    at = clock.midnight(date.fromisoformat(day), "UTC") + int(hour[:2]) * clock.HOUR
    clock.shift(at - clock.now())


@pytest.mark.parametrize(("day", "name", "begins"), EDGES)
def test_dataset_opens_with_the_first_moment_of_its_day(run_jobs, zone, day, name, begins):
    zone(name)
    go_to(begins)
    clock.shift(-20 * clock.DAY)
    (made,) = approved(run_jobs, day)
    go_to(begins)
    clock.shift(-2_000)
    turn(run_jobs)
    assert deposit.get(made).state == "approved"

    clock.shift(2_001)
    turn(run_jobs)
    clock.shift(clock.MINUTE)
    turn(run_jobs)
    assert deposit.get(made).state == "released"


def test_box_that_was_off_for_a_week_opens_all_that_is_overdue_and_nothing_else(run_jobs, zone):
    zone("Europe/Vienna")
    first = clock.day_of(clock.now(), "Europe/Vienna") + timedelta(days=2)
    made = approved(run_jobs, *((first + timedelta(days=n)).isoformat() for n in range(9)))

    clock.shift(clock.midnight(first + timedelta(days=7), "Europe/Vienna") + 12 * clock.HOUR - clock.now())
    for _ in range(3):
        turn(run_jobs)
        clock.shift(clock.MINUTE)

    assert [deposit.get(one).state for one in made] == ["released"] * 8 + ["approved"]


def test_clock_set_back_takes_nothing_back(run_jobs, zone):
    zone("UTC")
    (made,) = approved(run_jobs, clock.day_of(clock.now() + 2 * clock.DAY, "UTC").isoformat())
    clock.shift(3 * clock.DAY)
    for _ in range(2):
        turn(run_jobs)
        clock.shift(clock.MINUTE)
    clock.shift(-5 * clock.DAY)
    turn(run_jobs)
    assert deposit.get(made).state == "released"


def test_damaged_file_keeps_it_closed_and_says_why(run_jobs):
    (made,) = approved(run_jobs, clock.day_of(clock.now() + clock.DAY, "UTC").isoformat())
    deposit.archived_path(made).chmod(0o600)
    deposit.archived_path(made).write_bytes(b"rot")
    clock.shift(9 * clock.DAY)
    for _ in range(3):
        turn(run_jobs)
        clock.shift(clock.MINUTE)

    assert deposit.get(made).state == "approved"
    obstacles = [(message.code, message.values) for message in releases.obstacles(deposit.get(made))]
    assert ("release_files_damaged", {"count": 1}) in obstacles
