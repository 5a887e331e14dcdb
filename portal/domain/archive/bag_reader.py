"""Bags as they lie below the archive roots, read without any catalogue and without changing anything."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal import errors, storage
from portal.config import settings
from portal.domain.archive import bags, fixity, restore
from portal.domain.archive.restore import Bytes, ReadableBag
from portal.domain.files import accessions
from portal.messages import Message, say

REALMS = ("open", "protected")
# What a file system puts into its root.
NOT_OURS = frozenset(("lost+found",))
NEEDED = {"accession", "owner", "owner_name", "center", "state", "access", "next_n", "files", "title"}
MISSING = say("archived_file_missing", "missing in the archive")
CHANGED = say("archived_bytes_changed", "its bytes changed in the archive")
FILE_NEEDED = {"n", "name", "size", "md5", "sha256", "archive_path"}


class BadBag(errors.DomainError):
    """A folder of the archive that is no bag of ours, or a damaged one."""

    status, title, code = 503, "This bag cannot be read", "bad_bag"


def folders() -> Iterator[tuple[str, Path]]:
    """What lies below the archive roots, with its realm."""
    for realm in REALMS:
        root = settings().root("archive", realm)
        if root.is_dir():
            yield from ((realm, path) for path in sorted(root.iterdir()) if path.name not in NOT_OURS)


def catalogue(folder: Path) -> dict[str, Any]:
    """What metadata.json says, once it is sure that it says what was written. Raises BadBag."""
    if folder.name.startswith(".move-"):
        raise BadBag(say("bag_left_of_move", "what is left of a move between the realms"))
    if not accessions.is_reserved(folder.name) or folder.is_symlink() or not folder.is_dir():
        raise BadBag(say("no_bag", "no bag of this portal, whose folders are called as their dataset"))
    try:
        body = (folder / "metadata.json").read_bytes()
        content = json.loads(body)
    except FileNotFoundError:
        raise BadBag(say("bag_metadata_missing", "it has no metadata.json")) from None
    except ValueError:
        raise BadBag(say("bag_metadata_damaged", "its metadata.json is damaged")) from None
    if (
        not isinstance(content, dict)
        or not content.keys() >= NEEDED
        or not all(_is_file(row) for row in content["files"])
    ):
        raise BadBag(say("bag_metadata_incomplete", "its metadata.json does not say what a catalogue needs"))
    if content["accession"] != folder.name:
        text = "its metadata.json tells of {accession}"
        raise BadBag(say("bag_metadata_of_another", text, accession=content["accession"]))
    if content.get("seal") != bags.seal(content) and sealed(folder).get("metadata.json") != _sha256(body):
        text = "its metadata.json is not what was written: neither its seal nor tagmanifest-sha256.txt agrees"
        raise BadBag(say("bag_seal_broken", text))
    return content


def _is_file(row: Any) -> bool:
    return isinstance(row, dict) and row.keys() >= FILE_NEEDED


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def sealed(folder: Path) -> dict[str, str]:
    """Digests of the tag files by name, as the tag manifest has them."""
    try:
        text = (folder / "tagmanifest-sha256.txt").read_text()
    except (FileNotFoundError, ValueError):
        return {}
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def is_whole(folder: Path) -> bool:
    """Whether every tag file is there and is what the tag manifest seals."""
    names = sealed(folder)
    return bool(names) and all(
        (folder / name).is_file() and _sha256((folder / name).read_bytes()) == digest for name, digest in names.items()
    )


def read(realm: str, folder: Path, *, deep: bool) -> tuple[ReadableBag, list[Message]]:
    """A bag with its bytes as they lie there, and a message for each that is not as the bag says. With `deep` the
    bytes are read."""
    bag = ReadableBag(realm, catalogue(folder))
    content = bag.catalogue
    bag.stale = not is_whole(folder) or "seal" not in content or content.get("realm") != realm or _waits_again(content)
    faults = []
    for row in content["files"]:
        verdict, fault = _look(folder / row["archive_path"], row, deep=deep)
        bag.lying.append(Bytes(row["n"], row["name"], row["archive_path"], row["size"], verdict))
        if fault:
            accession = accessions.of_file(folder.name, row["n"])
            text = "{accession} ({name}): {fault}"
            faults.append(say("archived_file_faulty", text, accession=accession, name=row["name"], fault=fault))
    bag.strangers = list(_strangers(folder, bag))
    faults += [
        _left_alone(folder, stranger)
        for stranger in bag.strangers
        if not restore.may_adopt(bag, stranger) and not _is_dead(content, stranger)
    ]
    return bag, faults


def _left_alone(folder: Path, stranger: Bytes) -> Message:
    path = f"data/{accessions.of_file(folder.name, stranger.n)}/{stranger.name}"
    return say("file_in_no_manifest", "{path}: no manifest names it; it is left alone", path=path)


def _waits_again(content: dict[str, Any]) -> bool:
    return any(row["state"] in ("received", "checking", "failed", "error") for row in content.get("others", ()))


def _is_dead(content: dict[str, Any], stranger: Bytes) -> bool:
    dead = {row["n"] for row in content.get("others", ()) if row["state"] in ("removed", "replaced")}
    return stranger.n in dead or content["state"] == "withdrawn"


def _look(path: Path, row: dict[str, object], *, deep: bool) -> tuple[str | None, Message | None]:
    facts = storage.facts(path)
    if facts is None:
        return fixity.BAD, MISSING
    if facts.size != row["size"]:
        text = "{size} bytes in the archive, {listed} in its manifest"
        return fixity.BAD, say("archived_size_differs", text, size=facts.size, listed=row["size"])
    if not deep:
        return None, None
    whole = storage.digest(path)[:2] == (row["md5"], row["sha256"])
    return (fixity.OK, None) if whole else (fixity.BAD, CHANGED)


def _strangers(folder: Path, bag: ReadableBag) -> Iterator[Bytes]:
    """Files in data/ that the bag does not name. Their bytes are read where a file may be waiting for them."""
    listed = {row["archive_path"] for row in bag.catalogue["files"]}
    form = re.compile(rf"data/{re.escape(folder.name)}-(\d{{2,}})/(.+)", re.DOTALL)
    for path in sorted((folder / "data").rglob("*")):
        inside = path.relative_to(folder).as_posix()
        match = form.fullmatch(inside)
        facts = storage.facts(path)
        if inside in listed or match is None or facts is None or path.name.startswith("."):
            continue
        bytes_ = Bytes(int(match[1]), match[2], inside, facts.size)
        md5, sha256, _size = ("", "", 0) if _is_dead(bag.catalogue, bytes_) else storage.digest(path)
        yield Bytes(bytes_.n, bytes_.name, inside, facts.size, None, (md5, sha256) if md5 else None)
