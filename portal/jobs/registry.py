"""Each kind of job and the handler that does it."""

from portal.jobs.handlers.archive import archive, bag, digest, fixity, move, withdraw
from portal.jobs.handlers.components import metadata
from portal.jobs.handlers.datasets import publication_watcher, release
from portal.jobs.handlers.files import diagnose, inspect
from portal.jobs.handlers.handler import Handler
from portal.jobs.handlers.messages import mail, remarks, self_check, webhook
from portal.jobs.handlers.reports import daily_report
from portal.jobs.handlers.uploads import cleanup

HANDLERS: dict[str, Handler] = {
    "archive": Handler(archive.run, archive.give_up, alone=True),
    "bag": Handler(bag.run, alone=True),
    "components": Handler(metadata.follow),
    "drop": Handler(metadata.drop, bulk=True),
    "cut": Handler(cleanup.cut),
    "diagnose": Handler(diagnose.run, diagnose.give_up, bulk=True),
    "digest": Handler(digest.run, digest.give_up, bulk=True),
    "expire": Handler(cleanup.expire),
    "fixity": Handler(fixity.run, bulk=True),
    "inspect": Handler(inspect.run, inspect.give_up, bulk=True),
    "mail": Handler(mail.send_mail, mail.give_up),
    "mismatches": Handler(diagnose.mail),
    "move": Handler(move.run, alone=True),
    "prune": Handler(cleanup.prune),
    "release": Handler(release.run),
    "remarks": Handler(remarks.run),
    "report": Handler(daily_report.run, bulk=True),
    "selfcheck": Handler(self_check.run),
    "survey": Handler(inspect.survey, inspect.give_up_survey),
    "watch": Handler(publication_watcher.run, bulk=True),
    "webhook": Handler(webhook.run, webhook.give_up, outside=True),
    "withdraw": Handler(withdraw.run, alone=True),
}
