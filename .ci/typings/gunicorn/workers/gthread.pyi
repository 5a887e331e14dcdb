from typing import Any

from gunicorn.config import Config

class ThreadWorker:
    cfg: Config
    def init_process(self) -> None: ...
    def enqueue_req(self, conn: Any) -> None: ...
