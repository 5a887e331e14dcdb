"""My uploads: what arrives, what is here, what nobody claims; rename, copy, move, delete; settings of an FTP client."""

from portal.web.area import acts, chosen, folders, listing
from portal.web.area.blueprint import bp

__all__ = ["acts", "bp", "chosen", "folders", "listing"]
