"""A multipart form whose files go straight on as they come: nothing is spooled to memory or disk in between."""

from collections.abc import Callable, Iterator
from typing import Protocol

from flask import Request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_options_header
from werkzeug.sansio import multipart as sansio

from portal import errors
from portal.messages import say

CHUNK = 512 << 10
FIELD_LIMIT = 64 << 10
PARTS_LIMIT = 1000


class Sink(Protocol):
    """Takes the bytes of one file."""

    def write(self, data: bytes) -> None: ...
    def rest(self) -> None: ...


def read(
    request: Request, *, field: Callable[[str, str], None], begin: Callable[[str], Sink | None], end: Callable[[], None]
) -> None:
    """Walk the parts in their order: field(name, value), begin(filename) for a file, end() once it is whole.

    Raises Incomplete when the body breaks off; then end() was not called for the file under way.
    """
    name: str | None = None
    value = b""
    sink: Sink | None = None

    def pause() -> None:
        _rest(sink)

    for event in events(request, pause):
        if isinstance(event, sansio.File):
            name, sink = None, begin(event.filename) if event.filename else None
        elif isinstance(event, sansio.Field):
            name, value, sink = event.name, b"", None
        elif isinstance(event, sansio.Data) and name is None:
            if sink is not None and event.data:
                sink.write(event.data)
            if sink is not None and not event.more_data:
                sink = None
                end()
        elif isinstance(event, sansio.Data):
            value = _bounded(value + event.data)
            if not event.more_data and name is not None:
                field(name, value.decode("utf-8", "replace"))


def _rest(sink: Sink | None) -> None:
    if sink is not None:
        sink.rest()


def _bounded(value: bytes) -> bytes:
    if len(value) > FIELD_LIMIT:
        raise errors.TooLarge(say("form_field_too_long", "A field of this form is longer than it can be."))
    return value


def events(request: Request, pause: Callable[[], None]) -> Iterator[sansio.Event]:
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    if kind != "multipart/form-data" or "boundary" not in options:
        raise errors.Invalid(say("form_not_multipart", "This form sends files; its encoding is multipart/form-data."))
    decoder = sansio.MultipartDecoder(options["boundary"].encode("latin-1", "replace"), max_parts=PARTS_LIMIT)
    try:
        while not isinstance(event := decoder.next_event(), sansio.Epilogue):
            if isinstance(event, sansio.NeedData):
                pause()
                decoder.receive_data(request.stream.read(CHUNK) or None)
            else:
                yield event
    except (ClientDisconnected, ValueError, ConnectionError, TimeoutError) as error:
        raise errors.Incomplete(
            say("upload_broke_off", "The connection broke off before the file was whole. Send it again.")
        ) from error


def drain(request: Request, limit: int) -> None:
    """Read on after a refusal, so that the browser listens to the answer; not for ever."""
    left = limit
    try:
        while left > 0 and (data := request.stream.read(min(CHUNK, left))):
            left -= len(data)
    except (ClientDisconnected, OSError):
        return
