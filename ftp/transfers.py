"""Commands that move bytes: STOR, APPE, RETR, and what belongs to them."""

import select
from dataclasses import replace

from pyftpdlib.handlers.ftp.producers import FileProducer

from ftp.commands import UNSUPPORTED
from ftp.control import ControlConnection
from ftp.tree.entries import Source
from portal import db
from portal.domain.access_requests import download_log
from portal.ingest import upload_session
from portal.ingest.upload_session import UploadSession

RECHECK = 15.0


class Transfers(ControlConnection):
    """An upload is one upload session; a download asks first whether it is open to this person."""

    source: Source | None = None
    upload: UploadSession | None = None

    def may_transfer(self) -> bool:
        """One transfer at a time, as the protocol has it; what waited for an earlier command gives way."""
        if self.data_channel is not None and self.data_channel._initialized:
            self.respond("450 Another transfer of this session is still running. Wait for its end.")
            return False
        self.drop_pending()
        return True

    # Uploads.

    def ftp_ALLO(self, line: str) -> None:
        """The announced size: fewer bytes than that are not the whole file."""
        number = line.split(" ", 1)[0]
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            self.respond("501 Say how many bytes, as in ALLO 1048576.")
            return
        self.announced = int(number)
        self.respond(f"200 {self.announced:,} bytes are expected.")

    def ftp_STOR(self, line: str, *, append: bool = False) -> None:
        offset, self._restart_position = self._restart_position, 0
        announced, self.announced = self.announced, None
        area, path = self.tree.area(line)
        place = area.place(path)
        if self._current_type == "a":
            self.note("ascii_upload", place.name)
            self.respond("504 ASCII mode would change bytes. Set your client to binary (TYPE I) and send it again.")
            return
        if self.server.stopping:
            self.hang_up("421 This server stops. Come back in a minute.")
            return
        resumed = append or offset > 0
        # 1. Admit.
        self.upload = upload_session.open(
            area.account_id,
            realm=place.realm,
            area=place.area,
            name=place.name,
            via="ftp",
            announced=None if resumed else announced,
            offset=offset or None,
            append=append,
            dataset_id=place.dataset_id,
        )
        # 2. Receive, through the data channel, which also ends the upload and replies.
        try:
            self.expect(self.upload, "APPE" if append else "STOR")
        except BaseException:
            self.let_go()
            raise

    def expect(self, upload: UploadSession, cmd: str) -> None:
        """Receive now where the data connection stands, else once it comes. The upload has its place before the reply:
        where the client is gone, the reply ends the session and the session its upload."""
        self.accept_waiting()
        if self.data_channel is None:
            self._in_dtp_queue = (upload, cmd)
            self.respond(f"150 Ready for {upload.name}.")
            return
        self.data_channel.file_obj = upload
        self.data_channel.enable_receiving("i", cmd)
        if not upload.done:
            self.respond(f"125 Ready for {upload.name}.")

    def let_go(self) -> None:
        """However a session or command ended: no upload of it stays open."""
        if self.upload is not None:
            self.upload.close()

    def accept_waiting(self) -> None:
        """A connection that the client opened before it said STOR waits to be accepted; take it at once."""
        acceptor = self._dtp_acceptor
        if acceptor is not None and select.select([acceptor.socket], [], [], 0)[0]:
            acceptor.handle_accept()

    def ftp_APPE(self, line: str) -> None:
        self._restart_position = 0
        self.ftp_STOR(line, append=True)

    def ftp_ABOR(self, line: str) -> None:
        self.drop_pending()
        super().ftp_ABOR(line)

    def ftp_STOU(self, line: str) -> None:
        self.respond(f"502 {UNSUPPORTED['STOU']}")

    # Downloads.

    def ftp_RETR(self, line: str) -> None:
        offset, self._restart_position = self._restart_position, 0
        branch, path = self.tree.find(line)
        source = branch.open(path)  # 1. and 2. Ask and permit (docs/architecture.md numbers the steps)
        if offset > source.size:
            source.file.close()
            self.respond(f"554 The file has {source.size} bytes; nothing is behind them.")
            return
        source.file.seek(offset)
        self.source = self.log_begin(source, offset)  # 3. Log the begin.
        db.end()
        # 4. Send; is_shut() watches meanwhile (5.).
        self.push_dtp_data(FileProducer(source.file, "i"), isproducer=True, file=source.file, cmd="RETR")

    def log_begin(self, source: Source, offset: int) -> Source:
        """Controlled data leave only once it is written down who gets them."""
        if source.download is None:
            return source
        part = replace(source.download, address=self.remote_ip, offset=offset, length=source.size - offset)
        try:
            download_log.begin(part)
        except BaseException:
            source.file.close()
            raise
        return replace(source, download=part)

    def is_shut(self, now: float) -> bool:
        """Whether what is being sent is no longer open to this person; asked every 15 s of a long download."""
        source = self.source
        if source is None or source.still_open is None or now - self.checked < RECHECK:
            return False
        self.checked = now
        return not source.still_open()

    def log_transfer(
        self, cmd: str, filename: object, receive: bool, completed: bool, elapsed: float, bytes: int
    ) -> None:
        what = "whole" if completed else "cut"
        source = None if receive else self.source
        download = source.download if source else None
        name = filename if receive else (download.dataset_id if download else "")
        self.log(f"{cmd} {name} {what} {bytes} bytes {elapsed:.2f} s")
        if not receive:
            self.source = None
        if download is not None:
            download_log.end(download, bytes, files=int(completed and bytes > 0))  # 6. Log the end, and count.

    # Data connections.

    def _make_eport(self, ip: str, port: int) -> None:
        self.drop_pending()
        if ip != self.remote_ip.removeprefix("::ffff:"):
            self.note("foreign_address", f"{ip}:{port}")
            self.respond(f"501 {ip} is not your address here. Switch your client to passive mode.")
            return
        super()._make_eport(ip, port)

    def _make_epasv(self, extmode: bool = False) -> None:
        self.drop_pending()
        super()._make_epasv(extmode=extmode)
