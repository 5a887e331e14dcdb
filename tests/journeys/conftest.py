"""One browser serves all journeys of a process."""

from collections.abc import Iterator

import pytest

from tests.chromium import shared


@pytest.fixture(scope="session", autouse=True)
def _one_browser() -> Iterator[None]:
    yield
    shared.close()
