"""The processes that stay: `omix up` and what it starts. They are small, because `omix up` loads what they share before
it forks them, and each loads no more than its own part besides."""

import argparse
from collections.abc import Callable
from importlib import import_module as part

from portal import config, storage, supervisor
from portal.config import settings


def say_address(name: str, address: str) -> None:
    storage.write_whole(settings().run / f"{name}.address", f"{address}\n".encode())


def up(_asked: argparse.Namespace) -> int:
    return run_up(lambda addresses: None)


def run_up(ready: Callable[[dict[str, str]], None]) -> int:
    settings().prepare()
    held = supervisor.lock(settings())
    first = part("portal.preparing").prepare()

    def tell(addresses: dict[str, str]) -> None:
        print(f"Portal: {addresses['web']}\nFTP:    {addresses['ftp']}", flush=True)
        if first:
            once = "(shown once; change it on the account page)"
            print(f"First curator: {first[0]}  password: {first[1]}  {once}", flush=True)
        ready(addresses)

    def child(name: str) -> int:
        held.close()
        return int(part("portal.cli").main([name, "--child"]))

    try:
        return supervisor.Supervisor(settings(), tell, child).run()
    finally:
        held.close()


def run_demo(_asked: argparse.Namespace) -> int:
    with part("portal.demo").instance() as (chosen, ready):
        config.use(chosen)
        return run_up(ready)


def web(asked: argparse.Namespace) -> int:
    if asked.child:
        supervisor.be_child("web")
    part("portal.opening").open_instance()
    part("portal.db").dispose()
    part("portal.serving").serve(settings(), lambda address: say_address("web", address))
    return 0


def ftp(asked: argparse.Namespace) -> int:
    if asked.child:
        supervisor.be_child("ftp")
    part("portal.opening").open_instance()
    part("ftp.server").serve(settings(), lambda address: say_address("ftp", address))
    return 0


def worker(asked: argparse.Namespace) -> int:
    if asked.child:
        supervisor.be_child("worker")
    part("portal.opening").open_instance()
    part("portal.jobs.worker").serve()
    return 0
