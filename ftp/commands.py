"""Commands that look at the tree or change it. Each change is one verb of the domain in one transaction."""

from typing import Any

from ftp import listing
from ftp.control import ControlConnection, printable
from ftp.tree.dataset_places import DatasetFolder
from ftp.tree.entries import Branch, Entry
from portal import clock, errors
from portal.ingest import copy_move
from portal.messages import say

STAYS = say(
    "ftp_stays", "Files of a dataset are not copied or moved out of it. Delete the file there, and send it anew."
)
UNSUPPORTED = {
    "MFMT": "Times are those of arrival here and cannot be set.",
    "CCC": "The control connection stays encrypted.",
    "STOU": "Name your files: a name made up here would match no declared file.",
    "ACCT": "No account information is needed.",
    "SMNT": "There is nothing to mount.",
    "SITE": "There is no such SITE command.",
    "LANG": "Replies are in English.",
    "MDTM": "",
}
MORE: dict[str, dict[str, Any]] = {
    "HASH": {"auth": True, "arg": True, "help": "Syntax: HASH <SP> path (digest of an upload, from the records)."},
    "XMD5": {"auth": True, "arg": True, "help": "Syntax: XMD5 <SP> path (MD5, from the records)."},
    "XSHA256": {"auth": True, "arg": True, "help": "Syntax: XSHA256 <SP> path (SHA-256, from the records)."},
    "SITE CPFR": {"auth": True, "arg": True, "help": "Syntax: SITE CPFR <SP> path (copy from)."},
    "SITE CPTO": {"auth": True, "arg": True, "help": "Syntax: SITE CPTO <SP> path (copy to)."},
    "STOU": {"auth": True, "arg": None, "help": "STOU is not supported."},
}


class DigestUnknown(errors.NotReady):
    ftp = 450


class Commands(ControlConnection):
    """CWD, listings, facts, digests, folders, renames. Refusals are raised and answered by the session."""

    unsupported = UNSUPPORTED
    copy_from = ""

    @staticmethod
    def table(commands: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """The library's command table; paths and permissions are the tree's business, not the library's."""
        library = {name: {**row, "perm": None} for name, row in commands.items() if name != "MFMT"}
        return library | {name: dict(row, perm=None) for name, row in MORE.items()}

    def find(self, path: str) -> tuple[Branch, str, Entry]:
        """What lies at a path. Raises NotFound."""
        branch, rest = self.tree.find(path)
        entry = branch.entry(rest)
        if entry is None:
            raise errors.NotFound(say("ftp_nothing_there", "There is no {path}.", path=self.tree.normal(path)))
        return branch, rest, entry

    def file(self, path: str) -> Entry:
        entry = self.find(path)[2]
        if entry.folder:
            raise errors.NotFound(say("ftp_is_folder", "{path} is a folder.", path=self.tree.normal(path)))
        return entry

    # Where.

    def ftp_CWD(self, path: str) -> None:
        branch, rest, entry = self.find(path or "/")
        if not entry.folder:
            raise errors.NotFound(say("ftp_no_folder", "{path} is no folder.", path=self.tree.normal(path)))
        self.tree.cwd = self.tree.normal(path or "/")
        for line in branch.banner(rest):
            self.push(printable(f"250-{line}") + "\r\n")
        self.respond(f'250 "{self.tree.cwd}" is the current folder.')

    def ftp_CDUP(self, line: str) -> None:
        self.ftp_CWD("..")

    # Listings.

    def entries(self, path: str) -> list[Entry]:
        branch, rest, entry = self.find(path)
        if not entry.folder:
            return [entry]
        return sorted(branch.entries(rest), key=lambda entry: entry.name)

    def ftp_LIST(self, line: str) -> None:
        lines = listing.long_lines(self.entries(without_flags(line)), now=clock.now())
        self.push_dtp_data(lines, cmd="LIST")

    def ftp_NLST(self, line: str) -> None:
        self.push_dtp_data(listing.name_lines(self.entries(without_flags(line))), cmd="NLST")

    def ftp_MLSD(self, line: str) -> None:
        branch, rest, entry = self.find(line)
        if not entry.folder:
            self.respond(f"501 {self.tree.normal(line)} is no folder.")
            return
        entries = sorted(branch.entries(rest), key=lambda entry: entry.name)
        self.push_dtp_data(listing.fact_lines(entries, self._current_facts), cmd="MLSD")

    def ftp_MLST(self, line: str) -> None:
        facts = listing.fact_line(self.find(line)[2], self._current_facts)
        path = self.tree.normal(line)
        self.push(f"250-Facts:\r\n {facts} {path}\r\n")
        self.respond("250 End.")

    def ftp_STAT(self, line: str) -> None:
        if not line or not self.authenticated:
            super().ftp_STAT("")
            return
        lines = listing.long_lines(self.entries(without_flags(line)), now=clock.now()).decode()
        self.push(f"213-Status of {self.tree.normal(line)}:\r\n{lines}")
        self.respond("213 End of status.")

    # Facts of one file.

    def ftp_SIZE(self, line: str) -> None:
        self.respond(f"213 {self.file(line).size}")

    def ftp_MDTM(self, line: str) -> None:
        self.respond(f"213 {listing.stamp(self.find(line)[2].modified)}")

    def ftp_HASH(self, line: str) -> None:
        entry = self.file(line)
        self.respond(
            f"213 {self.hash_name} 0-{entry.size} {self.digest(entry, self.hash_name)} {self.tree.normal(line)}"
        )

    def ftp_XMD5(self, line: str) -> None:
        self.respond(f"250 {self.digest(self.file(unquoted(line)), 'MD5')}")

    def ftp_XSHA256(self, line: str) -> None:
        self.respond(f"250 {self.digest(self.file(unquoted(line)), 'SHA-256')}")

    def digest(self, entry: Entry, name: str) -> str:
        """The recorded digest; bytes are never read for it."""
        value = entry.md5 if name == "MD5" else entry.sha256
        if not value:
            raise DigestUnknown(
                say(
                    "digest_unknown",
                    "The digest is not known: the file is not whole, or its digest is being computed.",
                )
            )
        return value

    def ftp_OPTS(self, line: str) -> None:
        words = line.upper().split()
        if words[:1] != ["HASH"]:
            super().ftp_OPTS(line)
        elif len(words) == 1:
            self.respond(f"200 {self.hash_name}")
        elif words[1] in ("MD5", "SHA-256"):
            self.hash_name = words[1]
            self._extra_feats = self.features()
            self.respond(f"200 {self.hash_name}")
        else:
            self.respond("501 The digests here are MD5 and SHA-256.")

    # Changes.

    def ftp_MKD(self, line: str) -> None:
        area, path = self.tree.area(line)
        area.make_folder(path)
        quoted = self.tree.normal(line).replace('"', '""')
        self.respond(f'257 "{quoted}" made.')

    def ftp_RMD(self, line: str) -> None:
        area, path = self.tree.area(line)
        area.remove_folder(path)
        self.respond("250 The folder is gone.")

    def ftp_DELE(self, line: str) -> None:
        area, path = self.tree.area(line)
        area.remove(path)
        self.respond("250 The file is gone.")

    def ftp_RNFR(self, line: str) -> None:
        self.tree.area(line)
        self.find(line)
        self._rnfr = self.tree.normal(line)
        self.respond("350 To what name?")

    def ftp_RNTO(self, line: str) -> None:
        if not self._rnfr:
            self.respond("503 Say RNFR first.")
            return
        (old_area, old), (area, new) = self.tree.area(self._rnfr), self.tree.area(line)
        self._rnfr = None
        if area.key == old_area.key:
            area.rename(old, new)
        elif isinstance(old_area, DatasetFolder):
            raise errors.Forbidden(STAYS)
        elif isinstance(area, DatasetFolder):
            area.take_in(old_area.upload_id(old), new)
        else:
            copy_move.move(area.account_id, old_area.place(old), area.place(new), replacing=True)
        self.respond("250 Renamed.")

    def ftp_SITE_CPFR(self, line: str) -> None:
        self.tree.area(line)
        self.find(line)
        self.copy_from = self.tree.normal(line)
        self.respond("350 To what name?")

    def ftp_SITE_CPTO(self, line: str) -> None:
        """Bytes are shared where the disk can; the copy counts for the quota."""
        if not self.copy_from:
            self.respond("503 Say SITE CPFR first.")
            return
        (old_area, old), (area, new) = self.tree.area(self.copy_from), self.tree.area(line)
        self.copy_from = ""
        if isinstance(old_area, DatasetFolder) or isinstance(area, DatasetFolder):
            raise errors.Forbidden(STAYS)
        count = copy_move.copy(area.account_id, old_area.place(old), area.place(new))
        self.respond(f"250 Copied, {count} file{'' if count == 1 else 's'}.")

    def ftp_SITE_CHMOD(self, line: str) -> None:
        self.respond("202 Rights are not kept here; nothing was changed.")


def without_flags(line: str) -> str:
    """Some clients give `ls` options with LIST."""
    words = [word for word in line.split(" ") if not word.startswith("-")] if line.startswith("-") else [line]
    return " ".join(words)


def unquoted(line: str) -> str:
    return line[1:-1] if len(line) > 1 and line[0] == line[-1] == '"' else line
