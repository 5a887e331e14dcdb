"""The commands that do one thing and end: people, upkeep, releases. Each opens the instance, calls one verb and says it
in a sentence."""

import argparse
import sys

from portal import config, db, errors, migrations
from portal.cli.people import account_of
from portal.config import settings
from portal.domain.accounts import accounts, tokens
from portal.domain.archive.fixity import Target
from portal.domain.datasets import publications, releases
from portal.domain.shared import history, job_queue, trusted_clock
from portal.jobs.handlers.archive import fixity
from portal.maintenance import fsck, self_check
from portal.maintenance import rebuild as rebuilding
from portal.maintenance.startup import open_instance
from portal.messages import say
from portal.models import Dataset, Job


def migrate(_args: argparse.Namespace) -> int:
    open_instance(check=False)
    migrations.upgrade(db.engine())
    print(f"The database stands at step {migrations.head()}.")
    return 0


def user_add(args: argparse.Namespace) -> int:
    open_instance()
    with db.transaction():
        account = accounts.create(
            email=args.email, password=args.password, role=args.role, center=args.center, name=args.name
        )
    print(f"{account.email} is a {account.role} of {account.center.name}.")
    return 0


def token_add(args: argparse.Namespace) -> int:
    open_instance()
    account = account_of(args.email)
    with db.transaction():
        secret = tokens.make_api_token(account, label="made by command", actor=None)
    print(secret)
    return 0


def check_site(args: argparse.Namespace) -> int:
    """The exit codes are those of monitoring plug-ins."""
    open_instance()
    sections = self_check.run()
    for name, findings in sections.items():
        for finding in findings:
            if not (args.quiet and finding.level == self_check.OK):
                print(f"{finding.level.upper():5}{name}: {finding.says} {finding.remedy}".rstrip())
    return self_check.LEVELS.index(self_check.worst(sections))


def job_again(args: argparse.Namespace) -> int:
    open_instance()
    with db.transaction():
        if args.number is None:
            count = job_queue.retry_all(actor=None)
        else:
            job = db.session.get(Job, args.number)
            if job is None:
                raise errors.NotFound(say("no_such_job", "There is no job {number}.", number=args.number))
            job_queue.retry(job)
            count = 1
    print(f"{count} {'job' if count == 1 else 'jobs'} queued again.")
    return 0


def note(action: str, **after: object) -> None:
    """Upkeep by command is part of the history: the self-check asks when it was last done."""
    with db.transaction():
        history.record(action, actor=None, after=after)


def check_files(args: argparse.Namespace) -> int:
    open_instance()
    findings = 0
    for finding in fsck.check(deep=args.deep):
        print(finding)
        findings += 1
    note("site.fsck", findings=findings, deep=args.deep)
    print(f"{findings} findings." if findings else "Catalogue and disk agree.")
    return 1 if findings else 0


def read_fixity(args: argparse.Namespace) -> int:
    open_instance()
    query = db.session.query(Dataset).filter(Dataset.accession.is_not(None)).order_by(Dataset.id)
    if args.accession:
        query = query.filter(Dataset.accession == args.accession.upper())
    datasets = query.all()
    if args.accession and not datasets:
        raise errors.NotFound(
            say("dataset_accession_unknown", "There is no dataset {accession}.", accession=args.accession)
        )
    totals = {"ok": 0, "bad": 0, "unknown": 0}
    for dataset in datasets:
        counts = fixity.read_all(dataset, say_verdict)
        totals = {verdict: totals[verdict] + counts[verdict] for verdict in totals}
    print(", ".join(f"{count} {verdict}" for verdict, count in totals.items()))
    return 1 if totals["bad"] or totals["unknown"] else 0


def say_verdict(target: Target, verdict: str, why: str) -> None:
    if why:
        print(f"{target.path.name}: {verdict}. {why}")


def release_due(args: argparse.Namespace) -> int:
    open_instance()
    if args.clock_is_right:
        with db.transaction():
            trusted_clock.trust()
    datasets = releases.due(ahead=1 if args.dry_run else 0)
    for dataset in datasets:
        when = {"asked": "now, asked for", "publication": "now, published", "date": f"due since {dataset.release_date}"}
        why = releases.cause(dataset)
        left = " ".join(map(str, releases.obstacles(dataset)))
        print(f"{dataset.accession} {when[why] if why else f'at 00:00 on {dataset.release_date}'}: {left or 'opens'}")
    if not datasets:
        print("Nothing is due." if not args.dry_run else "Nothing is due, and nothing opens tonight.")
    if not args.dry_run and datasets:
        with db.transaction():
            for dataset in datasets:
                releases.enqueue(dataset)
    return 0


def import_publications(args: argparse.Namespace) -> int:
    """Each line stands for itself: a bad one is told with its number, the others are recorded."""
    open_instance()
    bad = 0
    for number, line in enumerate(args.path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        accession, _, text = line.partition("\t")
        if not line.strip() or line.startswith("#"):
            continue
        try:
            with db.transaction():
                dataset = publications.dataset_of(accession.strip())
                publications.record(dataset, text, actor=None, source="list")
        except errors.DomainError as error:
            bad += 1
            print(f"line {number}: {' '.join(error.fields.values()) or error.sentence}", file=sys.stderr)
    return 1 if bad else 0


def backup(args: argparse.Namespace) -> int:
    open_instance()
    if args.path.exists():
        raise errors.Conflict(say("output_exists", "{path} exists already; name a new file.", path=args.path))
    db.copy_to(args.path.absolute())
    args.path.chmod(0o600)
    note("site.backup", size=args.path.stat().st_size)
    print(f"The database is copied to {args.path}. Archive and area folders are copied by your own means.")
    return 0


def show_config(_args: argparse.Namespace) -> int:
    for name, field in config.Settings.model_fields.items():
        value = "(set)" if name == "secret_key" and settings().secret_key else getattr(settings(), name)
        print(f"OMIX_{name.upper()}={'' if value is None else value}\n    {field.description}")
    return 0


def rebuild(args: argparse.Namespace) -> int:
    return rebuilding.run(args)
