"""Processes are killed here on purpose: that one was still running when its object went is no fault of the portal's."""

import pytest

KILLED = ("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "faults" in item.path.parts:
            for words in KILLED:
                item.add_marker(pytest.mark.filterwarnings(words))
