"""No test may hold the run for ever: after two minutes it fails where it waits.

An alarm, because it also wakes a test that waits for a process or a lock, and leaves the worker alive.
"""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

SECONDS = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("patience", "seconds after which a test that still runs fails", default=str(SECONDS))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "patience(seconds): how long this test may take")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    yield from _within(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield from _within(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    yield from _within(item)


def _within(item: pytest.Item) -> Iterator[None]:
    mark = item.get_closest_marker("patience")
    seconds = mark.args[0] if mark else int(item.config.getini("patience"))

    def give_up(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
