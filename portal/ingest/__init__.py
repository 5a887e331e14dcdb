"""How bytes come in, whether by FTP, browser or API. A process that takes bytes calls start() first."""

from portal.ingest import group_commit, heartbeat

__all__ = ["start", "stop"]


def start(name: str) -> None:
    """Start this process's threads for group commit and heartbeat; harmless when they run. Call after forking."""
    group_commit.group_commit.start(name)
    heartbeat.heartbeat.start(name)


def stop(timeout: float = 10.0) -> None:
    """Record what is waiting and stop both threads."""
    heartbeat.heartbeat.stop(timeout)
    group_commit.group_commit.stop(timeout)
