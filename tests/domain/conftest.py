from tests.arrival.conftest import receiving, send

__all__ = ["receiving", "send"]
