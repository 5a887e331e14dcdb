"""Background work: each kind of job and the handler that does it."""

from portal.jobs import (
    archive,
    bag,
    diagnose,
    digest,
    fixity,
    inspect,
    mail,
    metadata,
    move,
    release,
    remarks,
    report,
    tidy,
    watch,
    webhook,
    withdraw,
)
from portal.jobs.work import Handler

HANDLERS: dict[str, Handler] = {
    "archive": Handler(archive.run, archive.give_up, alone=True),
    "bag": Handler(bag.run, alone=True),
    "components": Handler(metadata.follow),
    "drop": Handler(metadata.drop, bulk=True),
    "cut": Handler(tidy.cut),
    "diagnose": Handler(diagnose.run, bulk=True),
    "digest": Handler(digest.run, digest.give_up, bulk=True),
    "expire": Handler(tidy.expire),
    "fixity": Handler(fixity.run, bulk=True),
    "inspect": Handler(inspect.run, inspect.give_up, bulk=True),
    "mail": Handler(mail.send_mail, mail.give_up),
    "move": Handler(move.run, alone=True),
    "prune": Handler(tidy.prune),
    "release": Handler(release.run),
    "remarks": Handler(remarks.run),
    "report": Handler(report.run, bulk=True),
    "survey": Handler(inspect.survey, inspect.give_up_survey),
    "watch": Handler(watch.run, bulk=True),
    "webhook": Handler(webhook.run, webhook.give_up, outside=True),
    "withdraw": Handler(withdraw.run, alone=True),
}
