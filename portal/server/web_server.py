"""The web process: gunicorn with threads, which hands on request bodies while they arrive."""

import gc
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from portal import ingest
from portal.config import Settings
from portal.server.slow_clients import Worker
from portal.web import app  # before the workers are forked, which share it then

log = logging.getLogger(__name__)


class Web(BaseApplication):
    """gunicorn with settings of our own instead of a command line."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self.settings, self.listener = settings, listener
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"fd://{self.listener.fileno()}",
            "worker_class": Worker,
            "workers": self.settings.web_workers,
            "threads": self.settings.web_threads,
            "worker_connections": self.settings.web_threads * 16,
            "timeout": 120,
            "graceful_timeout": 20,
            "keepalive": 5,
            "loglevel": "warning",
            "limit_request_line": 8190,
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108, PTH112
            "control_socket_disable": True,
            "post_worker_init": lambda _worker: ingest.start("web"),
            "worker_exit": lambda _server, _worker: ingest.stop(),
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return app.create(self.settings)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    listener.set_inheritable(True)
    return listener


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM. `ready` gets the address, once connections are taken."""
    listener = listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    log.info("web ready on port %s", port)
    gc.collect()
    gc.freeze()
    Web(settings, listener).run()
