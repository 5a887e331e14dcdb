"""The vocabulary of the SRA handbook: types of files, and what may be wrong with one, each with its remedy."""

import re

TYPES = (
    "BAM",
    "BZIP2",
    "DATA",
    "EMPTY",
    "FASTQ",
    "FLI",
    "GZ",
    "HDF5",
    "HTML",
    "MSOFFICE",
    "RAR",
    "SFF",
    "SHELL",
    "SHORTCUT",
    "SRF",
    "SYSTEM",
    "TAR",
    "TEXT",
    "UNKNOWN",
    "XSL",
    "ZIP",
)
_AGAIN = "and send it again under the same name."
# In the order of the help page. A word with <n> bears a number.
ERRORS = {
    "empty_file": ("It has zero bytes.", f"Look whether your file is empty too; fill it {_AGAIN}"),
    "truncated_file": (
        "It ends in the middle.",
        f"Compare its size with yours; resume the upload, or make the file anew {_AGAIN}",
    ),
    "gunzip_error": (
        "The gzip stream cannot be read to its end.",
        f"Try gzip -t on your copy; if it fails there, make it anew {_AGAIN}",
    ),
    "bunzip2_error": (
        "The bzip2 stream cannot be read to its end.",
        f"Try bzip2 -t on your copy; if it fails there, make it anew {_AGAIN}",
    ),
    "unzip_error": (
        "The zip cannot be read to its end.",
        f"Try unzip -t on your copy; if it fails there, make it anew {_AGAIN}",
    ),
    "tar_error": (
        "The tar cannot be read to its end.",
        f"Try tar -tf on your copy; if it fails there, make it anew {_AGAIN}",
    ),
    "tar_missing_terminating_blocks": (
        "The tar has no end mark: members may be missing behind what arrived.",
        f"Compare its size with yours; make it anew {_AGAIN}",
    ),
    "repeated_file_in_archive": (
        "A name stands more than once in the package.",
        f"Give every member a name of its own, make the package anew {_AGAIN}",
    ),
    "corrupt_file": (
        "The bytes are not those of a whole file of its kind.",
        f"Check your copy with the program that made it, make it anew {_AGAIN}",
    ),
    "missing_read_data": ("It holds no read.", f"Look whether your copy holds reads; make it anew {_AGAIN}"),
    "bad_read_header_length": ("The header of a read in the SFF has a wrong length.", f"Make the SFF anew {_AGAIN}"),
    "bad_chunk_at_offset_<n>": ("What stands there is no block of an SRF.", f"Make the SRF anew {_AGAIN}"),
    "corrupt_at_offset_<n>": ("The block that begins there contradicts itself.", f"Make the SRF anew {_AGAIN}"),
    "duplicate_to_upload_<n>": (
        "The same bytes arrived before, as the upload of this number.",
        "Nothing needs to be done where that is meant; otherwise delete one of the two.",
    ),
    "Duplicate": ("Another member of the package has the same bytes.", "Nothing needs to be done where that is meant."),
    "file_changed_during_copy": (
        "It was written to or removed while it was read.",
        "Send the file again under the same name.",
    ),
    "size_changed_during_copy": ("Its length changed while it was read.", "Send the file again under the same name."),
    "upload_file_not_found": ("The bytes of this upload are gone.", "Send the file again under the same name."),
    "copy_error": (
        "We could not read it through; the fault is ours.",
        "You need not do anything: the operator was told.",
    ),
    "failure_during_copy": (
        "We could not copy it; the fault is ours.",
        "You need not do anything: the operator was told.",
    ),
    "md5_mismatch": (
        "What arrived is not what you declared.",
        "Correct the MD5, or send the file again under the same name.",
    ),
}
# What is told and is no fault of the file.
HINTS = ("Duplicate", "duplicate_to_upload_<n>")


def plain(word: str) -> str:
    """The word of the table for one with a number: bad_chunk_at_offset_<n> of bad_chunk_at_offset_512."""
    return re.sub(r"_\d+$", "_<n>", word)


def is_hint(word: str | None) -> bool:
    return word is not None and plain(word) in HINTS


def says(word: str, cause: str = "") -> str:
    """Cause, then remedy; the cause of the table where none is given."""
    general, remedy = ERRORS.get(plain(word), ("", ""))
    return f"{cause or general} {remedy}".strip()
