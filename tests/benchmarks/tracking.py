"""Tables of any size: each page of an account with a million uploads against that of one with a thousand, and of a
dataset of 100,000 files and components against one of 500, in one catalogue and one run."""

import gc
from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal import config, create_app, db
from portal.models import Account, Component, Dataset, Upload
from tests.benchmarks import generated
from tests.benchmarks.harness import MIB, Row, in_turns

SMALL, LARGE = 1_000, 1_000_000
ROUNDS = 9
MOST = 1.5  # of the ratio
# What is asked, in how many ms at most. {ref}: the largest dataset; {mark}: an upload in the middle of those that wait;
# {n}: a file, {part}: a component in the middle.
PAGES = (
    ("/tracking, not loaded, 1M uploads against 1k", "/tracking", 150),
    ("/tracking, not loaded, deep in it", "/tracking?after={mark}", 150),
    ("/tracking, all, by name", "/tracking?state=all&sort=name", 200),
    ("/tracking, all, the largest first", "/tracking?state=all&sort=-size", 200),
    ("/tracking, one type", "/tracking?state=all&type=BAM", 200),
    ("/tracking, one type, by name", "/tracking?state=all&type=BAM&sort=name", 200),
    ("/tracking, only problems", "/tracking?problems=1", 200),
    ("/tracking, only problems, by size", "/tracking?problems=1&sort=size", 200),
    ("/tracking, one name", "/tracking?state=all&text=sample_0000077", 100),
    ("/tracking, a hundred names", "/tracking?state=all&text=sample_00007", 200),
    ("/tracking, a word of all names, by name", "/tracking?state=all&text=run&sort=name", 200),
    ("/tracking, a word of none", "/tracking?state=all&text=zzzz", 100),
    ("/tracking, two letters of many names", "/tracking?state=all&text=_0", 200),
    ("/tracking/submissions", "/tracking/submissions", 300),
    ("/area, what lies there", "/area", 200),
    ("/area, what nobody claims", "/area?view=unlinked", 200),
    ("/deposit, one's datasets", "/deposit", 300),
    ("/deposit/*/ftp, what to choose from", "/deposit/{ref}/ftp", 200),
    ("dataset of 100,000 files against 500: its files", "/tracking?state=all&dataset={ref}", 200),
    ("its faulty files", "/tracking?state=all&dataset={ref}&problems=1", 200),
    ("its components", "/tracking/{ref}", 200),
    ("its faulty components", "/tracking/{ref}?state=error", 200),
    ("its components, deep in them", "/tracking/{ref}?after=2-{part}", 200),
    ("its components, one of them by name", "/tracking/{ref}?text=sample_0000077", 100),
    ("its form", "/deposit/{ref}", 300),
    ("its form, files by name", "/deposit/{ref}?sort=name&after={n}", 300),
    ("its form, files by a word", "/deposit/{ref}?text=sample_0000077", 200),
    ("its page", "/datasets/{ref}", 200),
    ("its files by API", "/api/v1/datasets/{ref}/files?limit=100", 100),
)
EXPORTS = (
    ("files", "/tracking/files.tsv?state=all"),
    ("components", "/tracking/{ref}/components.tsv"),
    ("submissions", "/tracking/submissions.tsv"),
)


class Person(FlaskClient):
    """Somebody who is signed in, and what stands in the middle of what is theirs."""

    places: dict[str, object]

    def enter(self, email: str, ref: str) -> "Person":
        token = self.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = self.post("/login", data={"csrf_token": token, "email": email, "password": generated.PASSWORD})
        assert answer.status_code == 303, answer.text[:500]
        self.places = middle(email) | {"ref": ref}
        return self

    def ask(self, path: str, **headers: str) -> int:
        answer = self.get(path.format(**self.places), headers=headers)
        assert answer.status_code in (200, 204), f"{path}: {answer.status_code}"
        return len(answer.data)

    def first(self, path: str) -> None:
        """Until the first piece is here."""
        answer = self.get(path.format(**self.places), buffered=False)
        next(iter(answer.response))
        answer.close()


def middle(email: str) -> dict[str, object]:
    with db.reading() as session:
        account = session.scalar(select(Account.id).where(Account.email == email))
        mine = select(Upload.id).where(Upload.account_id == account, Upload.state.in_(("received", "failed")))
        count = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
        dataset, n = session.execute(
            select(Dataset.id, Dataset.next_n).where(Dataset.account_id == account).order_by(Dataset.id).limit(1)
        ).one()
        parts = select(Component.id).where(Component.dataset_id == dataset, Component.state == "loaded")
        # So that more than a page is left behind the mark, in the small one too.
        return {
            "mark": session.scalar(mine.order_by(Upload.id.desc()).offset(count // 3).limit(1)),
            "n": n // 2,
            "part": session.scalar(parts.order_by(Component.id).offset(n // 8).limit(1)),
        }


def measure(folder):
    chosen = generated.instance(folder / "instance")
    small, large = (generated.person(f"{name}@example.org") for name in ("small", "large"))
    few = generated.uploads(small, SMALL, datasets=[500] + [2] * 60)
    many = generated.uploads(large, LARGE, datasets=[100_000] + [5_000] * 50 + [300] * 30)
    app = create_app(chosen)
    app.test_client_class = Person
    ours, peer = (
        app.test_client().enter(f"{name}@example.org", refs[0]) for name, refs in (("large", many), ("small", few))
    )
    for work, path, ms in PAGES:
        yield pair(work, lambda path=path: ours.ask(path), lambda path=path: peer.ask(path), ms)
    for work, path in EXPORTS:
        yield pair(
            f"first byte of the TSV of {work}",
            lambda path=path: ours.first(path),
            lambda path=path: peer.first(path),
            300,
        )
    yield poll(ours)
    yield export(ours)
    config.use(None)
    db.dispose()


def pair(work: str, ours: Callable[[], object], peer: Callable[[], object], ms: int) -> Row:
    """Both in turn; `ms` is the bar of our own time."""
    ours(), peer()
    gc.collect()
    mine, theirs, ratio = in_turns(ours, peer, rounds=ROUNDS)
    return Row(
        work,
        f"{mine * 1000:.0f} ms",
        f"{theirs * 1000:.0f} ms",
        ratio,
        f"<= {MOST}, < {ms} ms",
        ratio <= MOST and mine * 1000 < ms,
    )


def poll(person: Person) -> Row:
    """The answer while nothing is new, against the page."""
    page = person.get("/tracking").text
    address = page.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    mine, theirs, ratio = in_turns(
        lambda: person.ask(address, **{"HX-Request": "true"}), lambda: person.ask("/tracking"), rounds=ROUNDS
    )
    assert person.get(address, headers={"HX-Request": "true"}).status_code == 204
    return Row(
        "a poll of /tracking without news, against the page",
        f"{mine * 1000:.1f} ms",
        f"{theirs * 1000:.0f} ms",
        ratio,
        "<= 0.25",
        ratio <= 0.25,
    )


def export(person: Person) -> Row:
    """A hundred thousand rows and more as TSV: streamed, so that memory stays where it is."""
    before = memory()
    rows = 0
    answer = person.get("/tracking/files.tsv", buffered=False)
    for piece in answer.response:
        rows += piece.count(b"\n")
    answer.close()
    grown = (memory() - before) / MIB
    return Row(f"{rows:,} rows as TSV: memory grown by", f"{grown:.0f} MB", "", grown / 50, "< 50 MB", grown < 50)


def memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
