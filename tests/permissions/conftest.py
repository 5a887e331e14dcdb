"""The FTP server of tests/ftp, for what must not leak over FTP either."""

from tests.ftp.conftest import door, start

__all__ = ["door", "start"]
