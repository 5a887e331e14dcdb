"""The processes that stay: `omix up` and what it starts. They are small, because `omix up` loads what they share before
it forks them, and each loads no more than its own part besides."""

import argparse
from collections.abc import Callable

from portal import config, db, storage
from portal.cli import outcome
from portal.config import settings
from portal.maintenance import startup
from portal.server import bootstrap, supervisor


def say_address(name: str, address: str) -> None:
    storage.write_whole(settings().run / f"{name}.address", f"{address}\n".encode())


def up(_args: argparse.Namespace) -> int:
    return run_up(lambda addresses: None)


def run_up(ready: Callable[[dict[str, str]], None]) -> int:
    settings().prepare()
    held = startup.lock(settings())
    first = bootstrap.prepare()

    def tell(addresses: dict[str, str]) -> None:
        print(f"Portal: {addresses['web']}\nFTP:    {addresses['ftp']}", flush=True)
        if first:
            once = "(shown once; change it on the account page)"
            print(f"First curator: {first[0]}  password: {first[1]}  {once}", flush=True)
        ready(addresses)

    def child(name: str) -> int:
        held.close()
        return outcome.of(PARTS[name], argparse.Namespace(child=True))

    try:
        return supervisor.Supervisor(settings(), tell, child).run()
    finally:
        held.close()


def run_demo(_args: argparse.Namespace) -> int:
    from portal.maintenance import demo

    with demo.instance() as (chosen, ready):
        config.use(chosen)
        return run_up(ready)


def web(args: argparse.Namespace) -> int:
    if args.child:
        supervisor.be_child("web")
    startup.open_instance()
    db.dispose()
    from portal.server import web_server

    web_server.serve(settings(), lambda address: say_address("web", address))
    return 0


def ftp(args: argparse.Namespace) -> int:
    if args.child:
        supervisor.be_child("ftp")
    startup.open_instance()
    from ftp import server

    server.serve(settings(), lambda address: say_address("ftp", address))
    return 0


def worker(args: argparse.Namespace) -> int:
    if args.child:
        supervisor.be_child("worker")
    startup.open_instance()
    from portal.jobs import worker as worker_process

    worker_process.serve()
    return 0


PARTS = {"web": web, "ftp": ftp, "worker": worker}
