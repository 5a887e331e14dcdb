"""How bytes come in: one door for FTP, browser and API. A process that takes bytes starts recorder and pulse first."""

from portal.ingest.group_commit import recorder
from portal.ingest.heartbeat import pulse

__all__ = ["pulse", "recorder", "start", "stop"]


def start(name: str) -> None:
    """Start the recorder and pulse threads of this process; harmless when they run already. Call after forking."""
    recorder.start(name)
    pulse.start(name)


def stop(timeout: float = 10.0) -> None:
    """Record what is waiting and stop both threads."""
    pulse.stop(timeout)
    recorder.stop(timeout)
