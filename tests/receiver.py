"""A real HTTP server that receives webhooks and verifies them by the rules of Standard Webhooks, written apart from
the portal's own code."""

import base64
import hmac
import json
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass(frozen=True)
class Received:
    """One request: its path, headers in small letters, body, and the other end of its connection."""

    path: str
    headers: dict[str, str]
    body: bytes
    peer: tuple

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        text = f"{self.id}.{self.headers['webhook-timestamp']}.{self.body.decode()}"
        key = base64.b64decode(secret.split("_", 1)[1])
        wanted = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
        given = [part.split(",", 1) for part in self.headers["webhook-signature"].split(" ")]
        return ["v1", wanted] in given


class Receiver:
    """`answers`: what the next requests get, then `usual`; a function is called with the handler and answers itself."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: deque = deque()
        self.usual = 204
        self.let_go = threading.Event()
        self.hanging = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, headers, body, self.client_address))
                answer = receiver.answers.popleft() if receiver.answers else receiver.usual
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                self.send_header("Location", receiver.url + "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def keep(self) -> None:
        """From now on it keeps connections."""
        self._server.RequestHandlerClass.protocol_version = "HTTP/1.1"

    def encrypt(self, context: ssl.SSLContext) -> None:
        """From now on it speaks TLS; who does not like its certificate is let go."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.received]

    def hang(self, _handler) -> None:
        """Say nothing; `hanging` counts the requests that wait so."""
        self.hanging += 1
        self.let_go.wait(30)
        self.hanging -= 1

    def stop(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver(settings):
    """The portal may call it, though it is of the house."""
    settings.webhook_private = True
    found = Receiver()
    yield found
    found.stop()
