"""Tables and relationships, no rules. Import from here: `from portal.models import Dataset`."""

from portal.models.access_requests import Committee, Decider, Request, RequestFile, RequestMessage, Terms
from portal.models.accounts import Account, Center, Identity, Throttle, Token
from portal.models.components import Component, ComponentFile, ComponentRef, Delivery, DeliveryUpload
from portal.models.datasets import REBUILDING, Counter, Dataset, DownloadDay, Editor, File
from portal.models.events import Event
from portal.models.jobs import Job
from portal.models.mail import Mail, Once
from portal.models.reports import Report
from portal.models.reviews import Look, Remark
from portal.models.share_links import Link, LinkView, Publication
from portal.models.tallies import ComponentTally, FileTally, TextMark, Unclaimed
from portal.models.uploads import DatasetFolder, Folder, Member, Resumable, Upload, WireFault
from portal.models.webhooks import Webhook, WebhookTry

__all__ = [
    "REBUILDING",
    "Account",
    "Center",
    "Committee",
    "Component",
    "ComponentFile",
    "ComponentRef",
    "ComponentTally",
    "Counter",
    "Dataset",
    "DatasetFolder",
    "Decider",
    "Delivery",
    "DeliveryUpload",
    "DownloadDay",
    "Editor",
    "Event",
    "File",
    "FileTally",
    "Folder",
    "Identity",
    "Job",
    "Link",
    "LinkView",
    "Look",
    "Mail",
    "Member",
    "Once",
    "Publication",
    "Remark",
    "Report",
    "Request",
    "RequestFile",
    "RequestMessage",
    "Resumable",
    "Terms",
    "TextMark",
    "Throttle",
    "Token",
    "Unclaimed",
    "Upload",
    "Webhook",
    "WebhookTry",
    "WireFault",
]
