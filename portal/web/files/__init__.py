"""The files of a dataset: the live table, one file, many at once, lists and sheets, and files through the browser."""

from portal.web.files import (
    bulk_edit,
    choose_uploads,
    files,
    give_uploads,
    md5_lists,
    online_upload,
    replace,
    spreadsheet,
)
from portal.web.files.blueprint import bp

__all__ = [
    "bp",
    "bulk_edit",
    "choose_uploads",
    "files",
    "give_uploads",
    "md5_lists",
    "online_upload",
    "replace",
    "spreadsheet",
]
