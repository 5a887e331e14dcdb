"""The job that writes the daily batch reports of one center, or of the public mirror: beside the old ones, then in
their place."""

from datetime import date
from pathlib import Path
from typing import BinaryIO

from portal import clock, db, storage
from portal.config import settings
from portal.domain.reports import atomic_files, files, metadata, schedule, tsv, usage
from portal.domain.reports.atomic_files import AtomicFiles
from portal.domain.reports.schedule import Order
from portal.domain.reports.snapshot import Comparison, SnapshotRow, short
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.jobs.handlers.handler import Progress
from portal.models import Center

NOTHING = b""


def run(lease: Lease, progress: Progress) -> None:
    """May run twice: the reports of a day are compared with those of the day before it."""
    # 1. Which reports are due, and what is left over from a run that was killed?
    with db.reading():
        center_id = schedule.center_of(lease)
        order = schedule.order(center_id)
    if order is None:
        with db.transaction():
            job_queue.finish(lease)
        return
    atomic_files.sweep(order.folder)
    # 2. Write them beside those of the day before, then put all in place at once.
    done = _Run(order, progress)
    with AtomicFiles(order.folder) as place:
        done.write(place)
        place.place()
    if order.center_id is not None:
        done.usage("protected")
    # 3. Record what was written, and only then remove what is too old.
    with db.transaction():
        job_queue.check_lease(lease)
        for kind, full, path in done.made:
            schedule.record(order, kind, path, full=full)
        gone = schedule.prune(order, recalled=done.recalled)
        job_queue.finish(lease)
    for path in [*gone, *schedule.stale_notes(order)]:
        storage.remove(path)


class _Run:
    """One run: what it made, as (kind, full, path), and whether something was taken back."""

    def __init__(self, order: Order, progress: Progress) -> None:
        self.order, self.progress = order, progress
        self.made: list[tuple[str, bool, Path]] = []
        self.recalled = False
        # That of the day, not of the run: a report that is written again is the same.
        self.moment = clock.midnight(date.fromisoformat(order.day), settings().timezone)

    def write(self, place: AtomicFiles) -> None:
        if self.order.metadata:
            self.dump(place)
        if self.order.files:
            self.list_files(place)
        if self.order.center_id is not None:
            self._usage(place, "open")

    def new(self, place: AtomicFiles, kind: str, *, full: bool = False) -> BinaryIO:
        name = self.order.name(kind, full=full)
        self.made.append((kind, full, self.order.folder / name))
        return place.open(name)

    def dump(self, place: AtomicFiles) -> None:
        """An increment where anything differs, a full dump on the first of the month."""
        order = self.order
        with db.reading():
            base = schedule.base(order.center_id, "metadata", order.day)
        note = place.open(order.seen("metadata"))
        comparison = Comparison(base, note)
        survey = metadata.Survey()
        try:
            survey.run(order.center_id, comparison, on_step=self.progress.check)
            self.recalled = comparison.newly_closed
            if order.center_id is None:
                self._plain(place, survey)
            if not comparison.differs:
                place.leave_out(order.seen("metadata"))
            for full in (False, True):
                is_due = order.metadata_full or self.recalled if full else comparison.differs
                if is_due and survey.count:
                    metadata.write(
                        self.new(place, "metadata", full=full),
                        survey,
                        moment=self.moment,
                        whole=full,
                        on_step=self.progress.check,
                    )
        finally:
            survey.close()

    def _plain(self, place: AtomicFiles, survey: metadata.Survey) -> None:
        """The mirror shows the Accessions report by itself too."""
        name = f"{settings().prefix}_Accessions"
        self.made.append((schedule.PUBLIC_DAILY, False, self.order.folder / name))
        metadata.copy_text(survey, place.open(name))

    def list_files(self, place: AtomicFiles) -> None:
        """What changed since the last report, each day; all of it on the first of the month. In one pass."""
        order = self.order
        assert order.center_id is not None
        with db.reading():
            base = schedule.base(order.center_id, "files", order.day)
        comparison = Comparison(base, place.open(order.seen("files")))
        targets = [tsv.packed(self.new(place, "files", full=full)) for full in (False, True)[: 1 + order.files_full]]
        for packed in targets:
            packed.write(files.head().encode())
        for some in files.portions(order.center_id):
            self.progress.check()
            changed = [
                text
                for upload_id, text in some
                if comparison.compare(SnapshotRow(upload_id, 0, short(text), NOTHING.ljust(8, b"\0")))[1]
            ]
            targets[0].write("".join(changed).encode())
            if order.files_full:
                targets[1].write("".join(text for _, text in some).encode())
        comparison.end()
        for packed in targets:
            packed.close()

    def usage(self, realm: str) -> None:
        """The protected realm has a folder of its own."""
        with AtomicFiles(schedule.folder(self.order.center_id, protected=True)) as place:
            self._usage(place, realm)
            place.place()

    def _usage(self, place: AtomicFiles, realm: str) -> None:
        self.made.append(("usage" if realm == "open" else "usage_protected", False, place.folder / "usage_report.txt"))
        with db.reading():
            center = db.session.get_one(Center, self.order.center_id)
        target = place.open("usage_report.txt")
        for line in usage.lines(center, realm):
            target.write(line.encode())
