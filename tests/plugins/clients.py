"""Programs that a test needs and pip cannot bring: `@needs("lftp", "chromium")`.

Without the program the test is skipped, and the run ends with one line that says so. Under CI it fails instead,
because there nobody may overlook it.
"""

import os
import shutil
from collections.abc import Iterator

import pytest

needs = pytest.mark.needs

# Some programs go by several names.
NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome")}
PROPERTY = "missing_program"


def program(name: str) -> str | None:
    """The path of a program, or None."""
    return next(filter(None, map(shutil.which, NAMES.get(name, (name,)))), None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs): skip where one of these programs is missing; fail under CI")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    wanted = dict.fromkeys(name for mark in item.iter_markers("needs") for name in mark.args)
    missing = [name for name in wanted if program(name) is None]
    if not missing:
        return
    item.user_properties += [(PROPERTY, name) for name in missing]
    reason = f"needs {', '.join(missing)}, not on this machine"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield  # everything else of the summary stands above this line
    reports = [*terminalreporter.stats.get("skipped", ()), *terminalreporter.stats.get("error", ())]
    lacking = [[name for key, name in getattr(report, "user_properties", ()) if key == PROPERTY] for report in reports]
    lacking = [names for names in lacking if names]
    if lacking:
        programs = ", ".join(sorted({name for names in lacking for name in names}))
        fate = "FAILED" if os.environ.get("CI") else "DID NOT RUN"
        terminalreporter.write_line(f"{len(lacking)} TESTS {fate} FOR WANT OF: {programs}", red=True, bold=True)
