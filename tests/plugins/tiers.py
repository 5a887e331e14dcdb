"""Which tests run when. `make test`: those without a mark, what a change needs. `make test-full`: those marked `full`
which take long or need programs of others. `make soak`: those marked `soak`, and faults and journeys many times over.

A test that needs another's program than curl, a browser too, is of the full tier by that.
Of uploads by a client of others, and of processes started and killed, `make test` keeps one each.
"""

import pytest

QUICK = {"curl", "sh", "tar", "md5sum"}
MARKS = (
    "full: takes long, or needs programs of others; `make test-full` runs it",
    "soak: too slow for every run; `make soak` runs it",
)


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        programs = {name for mark in item.iter_markers("needs") for name in mark.args}
        if programs - QUICK - {"no-such-program"}:
            item.add_marker("full")
