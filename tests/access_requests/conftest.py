"""A released controlled dataset with bytes in the protected realm, for the tests of access."""

import pytest

from tests.access_requests import support
from tests.ftp.conftest import door, start

__all__ = ["door", "start"]


@pytest.fixture
def livers(database) -> str:
    """The accession of a controlled dataset of Ines."""
    return support.release(support.INES)
