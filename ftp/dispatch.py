"""How data connections come about: passive ones that were never opened, active ones that cannot be."""

import socket
from typing import Any

from pyftpdlib.handlers.ftp.dispatchers import ActiveDTP, PassiveDTP

from ftp.control import ControlConnection


class Passive(PassiveDTP):
    """Waits for the client's connection for 30 s."""

    cmd_channel: ControlConnection

    def handle_accepted(self, sock: socket.socket, addr: tuple[Any, ...]) -> None:
        super().handle_accepted(sock, addr)
        channel = self.cmd_channel
        if not self._closed or not channel.connected or channel._dtp_acceptor is not self:
            return
        channel._dtp_acceptor = None  # the connection broke before it was taken
        if channel.drop_pending():
            channel.respond("425 The data connection broke before it was used. Try again.")

    def handle_timeout(self) -> None:
        channel = self.cmd_channel
        self.close()
        if channel.connected:
            channel.note("data_never_opened")
            channel._dtp_acceptor = None
            channel.drop_pending()
            channel.respond("425 The data connection was never opened: a firewall may block the passive ports.")


class Active(ActiveDTP):
    """Connects to the client; where that fails the client sits behind a router."""

    timeout = 15
    cmd_channel: ControlConnection

    def handle_timeout(self) -> None:
        self.handle_close()

    def handle_close(self) -> None:
        if self._closed:
            return
        self.close()
        channel = self.cmd_channel
        if channel.connected:
            channel.note("active_unreachable", self._normalized_addr)
            channel._dtp_connector = None
            channel.drop_pending()
            channel.respond(
                f"425 No data connection to {self._normalized_addr} could be opened. Switch to passive mode."
            )
