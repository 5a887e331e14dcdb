"""The processes that stay: `omix up` and what it starts. They are small, because each loads no more of the program than
its own part."""

import argparse
import ctypes
import multiprocessing
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module as part

from portal import config, storage, supervisor
from portal.config import settings

PR_SET_PDEATHSIG = 1


def die_with_parent(asked: argparse.Namespace) -> None:
    """A child of `omix up` ends when that is killed (Linux)."""
    if asked.child and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def say_address(name: str, address: str) -> None:
    storage.write_whole(settings().run / f"{name}.address", f"{address}\n".encode())


def up(_asked: argparse.Namespace) -> int:
    return run_up(lambda addresses: None)


def run_up(ready: Callable[[dict[str, str]], None]) -> int:
    settings().prepare()
    held = supervisor.lock(settings())
    # By a process that ends, and what it loaded with it: this one only watches the others.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as alone:
        first = alone.submit(prepare).result()

    def tell(addresses: dict[str, str]) -> None:
        print(f"Portal: {addresses['web']}\nFTP:    {addresses['ftp']}", flush=True)
        if first:
            once = "(shown once; change it on the account page)"
            print(f"First curator: {first[0]}  password: {first[1]}  {once}", flush=True)
        ready(addresses)

    try:
        return supervisor.Supervisor(settings(), tell).run()
    finally:
        held.close()


def prepare() -> tuple[str, str] | None:
    return part("portal.preparing").prepare()


def run_demo(_asked: argparse.Namespace) -> int:
    with part("portal.demo").instance() as (chosen, ready):
        config.use(chosen)
        return run_up(ready)


def web(asked: argparse.Namespace) -> int:
    die_with_parent(asked)
    part("portal.opening").open_instance()
    part("portal.db").dispose()
    part("portal.serving").serve(settings(), lambda address: say_address("web", address))
    return 0


def ftp(asked: argparse.Namespace) -> int:
    die_with_parent(asked)
    part("portal.opening").open_instance()
    part("ftp.server").serve(settings(), lambda address: say_address("ftp", address))
    return 0


def worker(asked: argparse.Namespace) -> int:
    die_with_parent(asked)
    part("portal.opening").open_instance()
    part("portal.jobs.worker").serve()
    return 0
