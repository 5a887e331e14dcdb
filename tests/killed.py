"""A worker process that a fault kills: `work_until_killed(settings, "archive.linked:2:kill")`.

It is forked from a process that has loaded the program and done nothing with it: loading takes longer than most of
this work. `python -m tests.killed` is that process; it ends with its input.
"""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

from sqlalchemy import update

from portal import cli, clock, config, db, faults
from portal.config import ROOT
from portal.jobs import worker
from portal.models import Job

PATIENCE = 100.0


def work_until_killed(settings, fault: str) -> None:
    """Run `omix worker` on the instance of the test until the fault ends it."""
    clock.reset()
    with db.transaction():
        db.session.execute(update(Job).values(not_before=0))
    db.end()
    env = {name: value for name, value in os.environ.items() if name.startswith("OMIX_")}
    loaded = _loaded()
    loaded.stdin.write(
        json.dumps(env | {"OMIX_INSTANCE": str(settings.instance), "OMIX_FREE_FLOOR_MIB": "0", "OMIX_FAULT": fault})
        + "\n"
    )
    loaded.stdin.flush()
    code, told = json.loads(loaded.stdout.readline())
    assert code == -signal.SIGKILL, f"{fault}: the worker ended with {code}. {told}"


@functools.cache
def _loaded() -> subprocess.Popen:
    words = [sys.executable, "-m", "tests.killed"]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("OMIX_")}
    made = subprocess.Popen(words, cwd=ROOT, env=bare, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(_end, made)
    return made


def _end(loaded: subprocess.Popen) -> None:
    loaded.stdin.close()
    loaded.wait(10)
    loaded.stdout.close()


def _work(env: dict[str, str], log: int) -> None:
    """The child: what `omix worker` does."""
    os.dup2(log, 2)
    os.environ.update(env)
    faults.want(env["OMIX_FAULT"])
    code = 1
    try:
        code = cli.main(["worker"])
    finally:
        os._exit(code)


def serve() -> None:
    assert worker and config._current is None
    for line in sys.stdin:
        with tempfile.TemporaryFile() as log:
            child = os.fork()
            if child == 0:
                _work(json.loads(line), log.fileno())
            late = threading.Timer(PATIENCE, os.kill, (child, signal.SIGTERM))
            late.start()
            _pid, status = os.waitpid(child, 0)
            late.cancel()
            late.join()
            log.seek(0)
            answer = [os.waitstatus_to_exitcode(status), log.read().decode(errors="replace")[-2000:]]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
