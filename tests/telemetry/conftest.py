from tests.arrival.conftest import receiving

__all__ = ["receiving"]
