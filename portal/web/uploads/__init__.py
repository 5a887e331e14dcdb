"""My uploads: what arrives, what is here, what nobody claims; rename, copy, move, delete; settings of an FTP client."""

from portal.web.uploads import actions, bulk_actions, folders, listing
from portal.web.uploads.blueprint import bp

__all__ = ["actions", "bp", "bulk_actions", "folders", "listing"]
