"""The self-check: what an operator should know of disks, doors, work owed and the archive, each with its remedy."""

import logging
from collections.abc import Callable, Iterator

from portal import db
from portal.maintenance.self_check import archive, background_jobs, clocks, disks, servers, single_sign_on
from portal.maintenance.self_check.finding import BAD, LEVELS, OK, WARN, Finding

log = logging.getLogger(__name__)
CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Disks": disks.check,
    "Database": archive.database,
    "Worker": background_jobs.worker,
    "Jobs": background_jobs.jobs,
    "Checking": background_jobs.checks,
    "Mail": background_jobs.mails,
    "Web": servers.web,
    "FTP": servers.ftp,
    "Certificates": servers.certificates,
    "Single sign-on": single_sign_on.check,
    "Clock": clocks.check,
    "Archive": archive.fixity,
    "Releases": archive.releases,
    "Upkeep": archive.upkeep,
}
__all__ = ["BAD", "CHECKS", "LEVELS", "OK", "WARN", "Finding", "run", "worst"]


def run() -> dict[str, list[Finding]]:
    """Every check by its name. One that breaks is a finding itself and keeps no other from being made."""
    sections = {}
    for name, check in CHECKS.items():
        try:
            sections[name] = list(check())
        except Exception as error:
            log.exception("the check of %s failed", name)
            sections[name] = [Finding(BAD, f"This could not be checked: {error}", "The log says more.")]
        finally:
            db.end()
    return sections


def worst(sections: dict[str, list[Finding]]) -> str:
    levels = [finding.level for findings in sections.values() for finding in findings]
    return max(levels, key=LEVELS.index, default=OK)
