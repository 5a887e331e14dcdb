"""Where: the tree one person sees. It is a query, not a disk; the names of its first level are a contract."""

import re

from ftp.authorizer import Who
from ftp.tree.area import Area
from ftp.tree.dataset_places import DatasetFolder, DatasetPlaces
from ftp.tree.entries import Branch, Shelf
from ftp.tree.granted import Granted, Grants
from ftp.tree.outgoing import Outgoing
from ftp.tree.released import Released, Shop
from portal import config, errors
from portal.messages import Message, say


class Tree:
    """The tree of one session; `cwd` is its working folder."""

    def __init__(self, who: Who) -> None:
        self.who = who
        self.cwd = "/"
        self.cmd_channel = None
        self.prefix = config.settings().prefix
        self.branches = self._own() if who.account_id else {}
        self.top = Shelf(*(self.branches or [self.prefix]), refusal=self._where_to())

    def _own(self) -> dict[str, Branch]:
        account, center = self.who.account_id, str(self.who.center_id)
        instance = config.settings().instance
        assert account is not None
        return {
            self.prefix: Area(account, "open", "incoming"),
            f"{self.prefix}-protected": Area(account, "protected", "incoming"),
            "test": Area(account, "open", "test"),
            "outgoing": Outgoing(instance / "outgoing" / center),
            "outgoing-protected": Outgoing(instance / "outgoing-protected" / center),
            "granted": Grants(account),
            "datasets": DatasetPlaces(account),
        }

    def _where_to(self) -> Message:
        if not self.who.account_id:
            return Shop.refusal
        return say(
            "ftp_where_to",
            "Files go into /{prefix}/, /{prefix}-protected/, /datasets/<id>/ or /test/.",
            prefix=self.prefix,
        )

    def normal(self, path: str) -> str:
        """An absolute path without dots, doubled or trailing slashes."""
        steps: list[str] = []
        for step in (path if path.startswith("/") else f"{self.cwd}/{path}").split("/"):
            if step == "..":
                steps = steps[:-1]
            elif step not in ("", "."):
                steps.append(step)
        return "/" + "/".join(steps)

    def find(self, path: str) -> tuple[Branch, str]:
        """Who answers for a path, and the path as that branch knows it."""
        steps = self.normal(path)[1:].split("/")
        first, rest = steps[0], steps[1:]
        if not first:
            return self.top, ""
        if first == "incoming" and self.branches:
            first = self.prefix
        if first == self.prefix:
            dataset = self._dataset(rest)
            if dataset:
                return dataset
        if first == "granted" and rest and self.who.account_id:
            return Granted(rest[0], self.who.account_id), "/".join(rest[1:])
        if first == "datasets" and rest and self.who.account_id:
            return DatasetFolder(rest[0], self.who.account_id), "/".join(rest[1:])
        branch = self.branches.get(first)
        if branch is None:
            return self.top, "/".join(steps)
        return branch, "/".join(rest)

    def _dataset(self, rest: list[str]) -> tuple[Branch, str] | None:
        """Released datasets lie at OMIX000001/ and OMIX/000001/; only anonymous sees them listed."""
        if rest and re.fullmatch(rf"{self.prefix}\d{{6,}}", rest[0]):
            return Released(rest[0]), "/".join(rest[1:])
        if len(rest) > 1 and rest[0] == self.prefix and re.fullmatch(r"\d{6,}", rest[1]):
            return Released(self.prefix + rest[1]), "/".join(rest[2:])
        if rest == [self.prefix]:
            return Shop(plain=True), ""
        if not self.branches:
            return Shop(), "/".join(rest)
        return None

    def area(self, path: str) -> tuple[Area | DatasetFolder, str]:
        """The area, or the place of a dataset, that a path to be written lies in. Raises Forbidden with where files
        go."""
        branch, rest = self.find(path)
        if not isinstance(branch, Area | DatasetFolder):
            raise errors.Forbidden(branch.refusal)
        if not rest:
            raise errors.Forbidden(say("ftp_fixed_folder", "This folder is always here."))
        return branch, rest
