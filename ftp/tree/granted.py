"""Controlled datasets that one was granted, in one's own home: asked at every command, ended while bytes are sent, and
each download written down."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from ftp.tree.entries import Branch, Entry, folder
from ftp.tree.released import Released
from portal.domain.access_requests.download_log import Download
from portal.domain.permissions import active_grants
from portal.messages import say
from portal.queries.uploads import ftp_listing

REFUSAL = say("ftp_granted", "Granted datasets are for reading. Files go into your own area.")


class Grants(Branch):
    """The datasets that are granted to one account now."""

    refusal = REFUSAL

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id

    def entry(self, path: str) -> Entry | None:
        return None if path else folder("granted")

    def entries(self, path: str) -> list[Entry]:
        rows = active_grants.granted_to(self.account_id)
        return [folder(row.accession, modified=row.released_at or 0) for row in rows]


class Granted(Released):
    """The granted files of one dataset. One that is not granted, or no longer, is as absent as one that never was."""

    refusal = REFUSAL

    def __init__(self, accession: str, account_id: int) -> None:
        self.account_id = account_id
        super().__init__(accession)
        self.bound = self.dataset.bound if self.dataset else None

    def find(self) -> Row[Any] | None:
        return ftp_listing.granted_dataset(self.accession, self.account_id)

    def download(self, row: Row[Any], size: int) -> Download:
        assert self.dataset is not None
        return replace(
            super().download(row, size),
            account_id=self.account_id,
            request_id=self.dataset.request_id,
            is_controlled=True,
        )
