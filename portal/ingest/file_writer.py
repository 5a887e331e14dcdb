"""Bytes into one file, digested while they arrive: MD5 in one thread, write, SHA-256 and fdatasync in another.

Up to 256 KiB stay in memory and are written by the session itself: no thread is started for a small file.
"""

import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from portal import storage
from portal.faults import point
from portal.ingest.buffer_pool import BLOCK_SIZE, Block, pool

HEAD = 256 << 10
SCRATCH = 64 << 10
IN_FLIGHT = 6

# What waits for one thread: a block of the shared pool, or None for bytes of no block, and its bytes; None ends it.
WorkerQueue = SimpleQueue[tuple[Block | None, memoryview] | None]


class FileWriter:
    """Takes the bytes of one upload. `size` counts from the start of the file, a resumed offset included.

    Zero-copy use: recv_into(buffer()), then filled(n); call rest() when the sender pauses, so that no block of
    the shared pool is held by a slow sender. Otherwise write(data). OSErrors of the disk surface in these calls.
    """

    def __init__(self, path: Path, *, offset: int | None = None) -> None:
        self.path = path
        self.size = offset or 0
        self._resumed, self._start = offset is not None, self.size
        self._handle: int | None = None
        self._head = bytearray()
        self._scratch: bytearray | None = None
        self._block: Block | None = None
        self._fill = 0
        self._queues: list[tuple[threading.Thread, WorkerQueue]] = []
        self._room = threading.BoundedSemaphore(IN_FLIGHT)
        self._error: BaseException | None = None
        self._unsynced = 0
        self._closed = False
        self._discarded = False
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        if self._resumed:
            self._handle = storage.open_again(path)
            os.ftruncate(self._handle, self.size)
            os.lseek(self._handle, self.size, os.SEEK_SET)

    def buffer(self) -> memoryview:
        """Where the next bytes go; at least one byte long."""
        self._check()
        if not self._queues:
            if self._scratch is None:
                self._scratch = bytearray(SCRATCH)
            return memoryview(self._scratch)
        if self._block is None:
            self._room.acquire()
            self._block, self._fill = pool.take(), 0
        return memoryview(self._block.data)[self._fill :]

    def filled(self, count: int) -> None:
        """So many bytes of buffer() are new."""
        self.size += count
        if not self._queues:
            self._head += memoryview(self._scratch or b"")[:count]
            if len(self._head) >= HEAD:
                self._spill()
            return
        self._fill += count
        if self._fill == BLOCK_SIZE:
            self._send()

    def rest(self) -> None:
        """The sender pauses: hand on what is there instead of holding a block."""
        if self._queues and self._block is not None:
            self._send()

    def close(self) -> tuple[str | None, str | None, storage.Facts]:
        """Make the bytes durable. Returns MD5, SHA-256 (None when resumed) and the facts they are valid for."""
        handle = self._finish_writing()
        point("receive.written")
        self._sync(handle)
        facts = storage.facts_of(os.fstat(handle))
        if storage.facts(self.path) != facts:  # removed or written to meanwhile: nobody may say that it is stored
            raise OSError(errno.ESTALE, "The bytes under this name are no longer those that came.")
        os.close(handle)
        self._handle, self._closed = None, True
        storage.sync_dir(self.path.parent)
        point("receive.synced")
        if self._resumed:
            return None, None, facts
        return self._md5.hexdigest(), self._sha256.hexdigest(), facts

    def discard(self) -> None:
        """What this session wrote does not count: abandon() takes it back."""
        self._discarded = True

    def abandon(self, *, keep: bool, lost: bool = False) -> int:
        """Stop. With `keep`, what came is written out; returns the length on disk, 0 when nothing is there.
        `lost` bytes may belong to another session now: they are neither written nor removed. What a failed sync left
        may be on no disk, whatever is read back: only what was there before is kept."""
        if lost:
            self._error = self._error or OSError(errno.ESTALE, "Another session has these bytes.")
        try:
            if keep and self.size and not self._closed:
                self._sync(self._finish_writing())
                storage.sync_dir(self.path.parent)
            else:
                self._stop_lanes()
        except OSError:
            self._stop_lanes()
        finally:
            if self._handle is not None:
                if self._discarded and not lost:
                    os.ftruncate(self._handle, self._start)
                os.close(self._handle)
                self._handle = None
        if lost:
            return 0
        facts = storage.facts(self.path)
        if keep and facts and facts.size:
            return facts.size
        storage.remove(self.path)
        return 0

    def _finish_writing(self) -> int:
        if not self._queues:
            if self._handle is None:
                self._handle = storage.open_new(self.path)
            head, self._head = self._head, bytearray()
            self._consume_write(memoryview(head))
            if not self._resumed:
                self._md5.update(head)
        else:
            self.rest()
            self._stop_lanes()
        self._check()
        assert self._handle is not None
        return self._handle

    def _stop_lanes(self) -> None:
        if self._block is not None:
            pool.give(self._block)
            self._block = None
            self._room.release()
        for _thread, queue in self._queues:
            queue.put(None)
        for thread, _queue in self._queues:
            thread.join()

    def _spill(self) -> None:
        """The upload is no small one: open the file and start the worker queues."""
        if self._handle is None:
            self._handle = storage.open_new(self.path)
        consumers: list[Callable[[memoryview], object]] = [self._consume_write]
        if not self._resumed:
            consumers.append(self._md5.update)
        for consume in consumers:
            queue: WorkerQueue = SimpleQueue()
            thread = threading.Thread(target=self._run, args=(queue, consume), daemon=True)
            thread.start()  # first: a thread that never ran cannot be waited for
            self._queues.append((thread, queue))
        head = memoryview(bytes(self._head))
        self._head, self._scratch = bytearray(), None
        for _thread, queue in self._queues:
            queue.put((None, head))

    def _send(self) -> None:
        block = self._block
        assert block is not None
        block.left = len(self._queues)
        view = memoryview(block.data)[: self._fill]
        self._block = None
        for _thread, queue in self._queues:
            queue.put((block, view))

    def _run(self, queue: WorkerQueue, consume: Callable[[memoryview], object]) -> None:
        while (item := queue.get()) is not None:
            block, view = item
            try:
                if self._error is None:
                    consume(view)
            except BaseException as error:  # told to the session by its next call
                self._error = error
            finally:
                if block is not None and pool.done(block):
                    self._room.release()

    def _consume_write(self, view: memoryview) -> None:
        handle, rest = self._handle, view
        assert handle is not None
        while rest:
            point("receive.write")
            rest = rest[os.write(handle, rest) :]
        if not self._resumed:
            self._sha256.update(view)
        self._unsynced += len(view)
        if self._unsynced >= storage.SYNC_EVERY:
            self._sync(handle)
            self._unsynced = 0

    def _sync(self, handle: int) -> None:
        try:
            os.fdatasync(handle)
        except OSError:
            self._discarded = True
            raise

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
