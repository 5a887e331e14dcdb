"""The buffers of a process: at most 32 blocks of 2 MiB for all uploads together. A full pool stops reading the socket,
and TCP pushes back on the sender; memory does not grow with the number of uploads."""

import threading

BLOCK_SIZE = 2 << 20
BLOCKS = 32


class Block:
    """One buffer, given back once every worker queue has consumed it."""

    __slots__ = ("data", "left")

    def __init__(self) -> None:
        self.data = bytearray(BLOCK_SIZE)
        self.left = 0


class Pool:
    def __init__(self, blocks: int = BLOCKS) -> None:
        self._limit = blocks
        self._made = 0
        self._free: list[Block] = []
        self._freed = threading.Condition()

    def take(self) -> Block:
        """A free block; waits while all are in use."""
        with self._freed:
            while not self._free and self._made >= self._limit:
                self._freed.wait()
            if self._free:
                return self._free.pop()
            self._made += 1
        return Block()

    def give(self, block: Block) -> None:
        with self._freed:
            self._free.append(block)
            self._freed.notify()

    def done(self, block: Block) -> bool:
        """One worker queue is through with a block; the last one gives it back. Returns whether it was the last."""
        with self._freed:
            block.left -= 1
            last = block.left == 0
            if last:
                self._free.append(block)
                self._freed.notify()
            return last


pool = Pool()
