"""The same thing done by many at the same moment."""

import threading
from collections.abc import Callable

from portal import db, errors


def race(many: int, verb: Callable[[int], object]) -> tuple[list[int], list[str]]:
    """`verb(n)` in so many threads at once: who did it, and what the others, who came too late, were told."""
    ready, won, lost = threading.Barrier(many), [], []

    def one(n: int) -> None:
        ready.wait()
        try:
            verb(n)
            won.append(n)
        except errors.Conflict as error:
            lost.append(error.sentence)
        finally:
            db.end()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return won, lost
