"""A plugin of pytest that keeps it loaded: tests are collected once, and each order is run by a child of this process.

Orders come and answers go as lines of JSON on the socket that MUTANTS_FD names. An order: `tests`, the ids to run until
one fails; `watched`, {name: absolute path} of files whose lines are noted; `fault`, the arguments of exchange(). The
answers of a child: `pid` once, then `test` as each begins; with `watched` also `passed`, `seconds` and `lines` as it
ends; `failed` with `why`; `stuck` where the fault needs a new process. The last is `ended` with its status.
"""

import ctypes
import gc
import json
import os
import shutil
import signal
import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path

import pytest

from tests.mutants.exchange import exchange, living
from tests.mutants.reached import Reached

# The session's fixtures that are made before the first order; none of them may leave a thread or a process behind.
WARM = "first_database"
SUBREAPER = 36
FAILED: list[pytest.TestReport] = []
REACHED = Reached()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        FAILED.append(report)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef) -> Iterator[None]:
    with nullcontext() if fixturedef.scope == "function" else REACHED.fixture(fixturedef.argname):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if session.testsfailed:  # something could not be collected: pytest says so and ends
        return None
    Kept(session, socket.socket(fileno=int(os.environ.pop("MUTANTS_FD")))).serve()
    return True


class Kept:
    def __init__(self, session: pytest.Session, wire: socket.socket) -> None:
        self.session, self.wire = session, wire
        self.items = {item.nodeid: item for item in session.items}
        with suppress(AttributeError):  # whatever a test leaves behind becomes a child of this process
            ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)

    def tell(self, **said: object) -> None:
        self.wire.sendall(json.dumps(said).encode() + b"\n")

    def serve(self) -> None:
        self.warm_up()
        self.loaded = living(str(self.session.config.rootpath))
        gc.collect()
        gc.freeze()
        self.tell(ready=list(self.items))
        with self.wire.makefile() as orders:
            for line in orders:
                self.obey(json.loads(line))

    def warm_up(self) -> None:
        """Set up and take down one test, so that the costly fixture of the session is there."""
        fitting = [item for item in self.items.values() if WARM in getattr(item, "fixturenames", ())]
        if not fitting:
            return
        item = min(fitting, key=lambda one: len(one.fixturenames))
        call = pytest.CallInfo.from_call(lambda: item.ihook.pytest_runtest_setup(item=item), when="setup")
        item.ihook.pytest_runtest_makereport(item=item, call=call)
        item.ihook.pytest_runtest_teardown(item=item, nextitem=self.session)
        item._initrequest()

    def obey(self, order: dict) -> None:
        kept = set(self.folder.iterdir())
        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                self.run(order)
            except BaseException:
                traceback.print_exc()
                os._exit(70)
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        end_children()
        for left in set(self.folder.iterdir()) - kept:
            shutil.rmtree(left, ignore_errors=True)
        self.tell(ended=os.waitstatus_to_exitcode(status))

    @property
    def folder(self) -> Path:
        return self.session.config._tmp_path_factory.getbasetemp()

    def run(self, order: dict) -> None:
        """In the child."""
        self.tell(pid=os.getpid())
        if (fault := order.get("fault")) and not exchange(self.loaded.get(fault["path"]), **fault):
            return self.tell(stuck=True)
        self.watch(order.get("watched", {}))
        items = [self.items[name] for name in order["tests"]]
        for item, following in zip(items, [*items[1:], None], strict=True):
            self.tell(test=item.nodeid)
            began = time.monotonic()
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if FAILED:
                return self.tell(failed=FAILED[0].nodeid, why=FAILED[0].longreprtext[-3000:])
            if "watched" in order:
                self.tell(
                    passed=item.nodeid,
                    seconds=round(time.monotonic() - began, 3),
                    lines=REACHED.take(item.fixturenames),
                )
        return None

    def watch(self, watched: dict[str, str]) -> None:
        """Note what runs of these files, also of those that the program itself would load later."""
        for name in watched:
            import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        loaded = living(str(self.session.config.rootpath)) | self.loaded
        for name, path in watched.items():
            if path in loaded:  # a file without a function has nothing to note
                REACHED.watch(name, Path(path).read_text(), loaded[path])


def end_children() -> None:
    """End what a test left running: all that are still children of this process."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    while path.exists() and (pids := path.read_text().split()):
        for pid in map(int, pids):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
