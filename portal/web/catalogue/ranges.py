"""Ranges of bytes (RFC 9110, section 14): which part of a file or zip is asked for, and what the answer says of it."""

from dataclasses import dataclass

from flask import Response, request


@dataclass(frozen=True)
class Span:
    """The bytes [start, stop) of something that is `size` bytes long."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def is_whole(self) -> bool:
        return self.length == self.size


def requested(size: int, *validators: str) -> Span | None:
    """The part that is asked for; the whole where that is no single range, or where If-Range names other bytes than the
    validators (ETag, Last-Modified) do. None where nothing lies there."""
    condition, given = request.headers.get("If-Range"), request.range
    if condition and condition not in validators:
        return Span(0, size, size)
    if given is None or given.units != "bytes" or len(given.ranges) != 1:
        return Span(0, size, size)
    first, stop = given.ranges[0]
    if first is not None and first < 0:  # the last so many bytes
        return Span(max(0, size + first), size, size)
    start = first or 0
    return Span(start, size if stop is None else min(size, stop), size) if start < size else None


def describe(answer: Response, span: Span | None, size: int) -> None:
    """Set the status and headers of an answer that sends a span: 200, 206, or 416 for None."""
    if span is None:
        answer.status_code = 416
        answer.headers["Content-Range"] = f"bytes */{size}"
        return
    if not span.is_whole:
        answer.status_code = 206
        answer.headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    answer.headers["Content-Length"] = str(span.length)
