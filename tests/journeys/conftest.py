"""One browser serves all journeys of a process, and one portal those that bring their own people."""

from collections.abc import Iterator

import pytest

from portal import clock
from tests.chromium import shared
from tests.live import Live


@pytest.fixture(autouse=True)
def _clock_of_the_machine(_plain_surroundings: None) -> None:
    """The portal is a process of its own here: both go by the same clock."""
    clock.reset()


@pytest.fixture(scope="session", autouse=True)
def _one_browser() -> Iterator[None]:
    yield
    shared.close()


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("journeys") / "instance") as started:
        yield started
