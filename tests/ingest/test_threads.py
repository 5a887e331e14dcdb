"""The two threads of a process that receives: one records in groups and ends with its last, one tells what lives."""

import threading
from types import SimpleNamespace

import pytest

from portal import errors
from portal.ingest.group_commit import GroupCommit
from portal.ingest.heartbeat import Heartbeat


def test_stop_waits_for_what_is_being_recorded(database):
    group_commit, order = GroupCommit(), []
    began, may_end = threading.Event(), threading.Event()

    def verb() -> None:
        began.set()
        assert may_end.wait(10)
        order.append("recorded")

    def stop() -> None:
        group_commit.stop(10)
        order.append("stopped")

    group_commit.start("test")
    sender = threading.Thread(target=group_commit.record, args=(verb,))
    sender.start()
    assert began.wait(10)
    stopper = threading.Thread(target=stop)
    stopper.start()
    may_end.set()
    for thread in (sender, stopper):
        thread.join(10)

    assert order == ["recorded", "stopped"]
    with pytest.raises(errors.Busy):
        group_commit.record(verb)


@pytest.mark.parametrize(("done", "size"), [(True, 5), (True, 0), (False, 0)])
def test_session_that_is_over_or_has_no_byte_yet_leaves_no_row(database, done, size):
    """Its row was written by whoever ended it, or there is nothing to tell of."""
    session = SimpleNamespace(done=done, size=size, progress=lambda: pytest.fail("it is not asked how far it is"))
    assert Heartbeat()._keep(session)
