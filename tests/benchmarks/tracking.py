"""Pages of tracking and of my uploads: an account with a million uploads against one with a thousand, and a dataset of
100,000 files against one of a hundred, in one catalogue and one run."""

import gc
from pathlib import Path

from flask.testing import FlaskClient

from portal import config, create_app, db
from tests.benchmarks import generated
from tests.benchmarks.harness import MIB, Row, in_turns

SMALL, LARGE = 1_000, 1_000_000
ROUNDS = 9
PAGES = (
    ("/tracking, not loaded, 1M uploads against 1k", "/tracking", 1.5, 100),
    ("/tracking, all, by name", "/tracking?state=all&sort=name", 1.5, 300),
    ("/tracking, one type", "/tracking?state=all&type=BAM", 0, 300),
    ("/tracking, only problems", "/tracking?problems=1", 0, 500),
    ("/tracking, a name among them", "/tracking?state=all&text=sample_0000777", 0, 500),
    ("/tracking/submissions, 200 against 3", "/tracking/submissions", 0, 300),
    ("/area, what lies there", "/area", 1.5, 300),
)


class Person(FlaskClient):
    """Somebody who is signed in."""

    def enter(self, email: str) -> "Person":
        token = self.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = self.post("/login", data={"csrf_token": token, "email": email, "password": generated.PASSWORD})
        assert answer.status_code == 303, answer.text[:500]
        return self

    def ask(self, path: str, **headers: str) -> int:
        answer = self.get(path, headers=headers)
        assert answer.status_code in (200, 204), f"{path}: {answer.status_code}"
        return len(answer.data)


def measure(folder):
    chosen = generated.instance(folder / "instance")
    small, large = (generated.person(f"{name}@example.org") for name in ("small", "large"))
    few = generated.uploads(small, SMALL, datasets=[100] * 3)
    many = generated.uploads(large, LARGE, datasets=[100_000] + [5_000] * 100 + [300] * 100)
    app = create_app(chosen)
    app.test_client_class = Person
    ours, peer = (app.test_client().enter(f"{name}@example.org") for name in ("large", "small"))
    for work, path, most, ms in PAGES:
        yield pair(work, lambda path=path: ours.ask(path), lambda path=path: peer.ask(path), most, ms)
    for work, tail in (("its components", ""), ("its files", "dataset")):
        paths = [f"/tracking/{ref}" if not tail else f"/tracking?state=all&dataset={ref}" for ref in (many[0], few[0])]
        yield pair(f"dataset of 100,000 files, {work}", lambda p=paths[0]: ours.ask(p), lambda p=paths[1]: peer.ask(p),
                   0, 300)  # fmt: skip
    yield poll(ours)
    yield export(ours, folder)
    config.use(None)
    db.dispose()


def pair(work: str, ours, peer, most: float, ms: int) -> Row:
    """Both in turn. `most` is the bar of the ratio (0: none), `ms` that of our own time."""
    ours(), peer()
    gc.collect()
    mine, theirs, ratio = in_turns(ours, peer, rounds=ROUNDS)
    bar = f"<= {most}, < {ms} ms" if most else f"< {ms} ms"
    return Row(work, f"{mine * 1000:.0f} ms", f"{theirs * 1000:.0f} ms", ratio, bar,
               (not most or ratio <= most) and mine * 1000 < ms)  # fmt: skip


def poll(person: Person) -> Row:
    """The answer while nothing is new, against the page."""
    page = person.get("/tracking").text
    address = page.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    mine, theirs, ratio = in_turns(lambda: person.ask(address, **{"HX-Request": "true"}),
                                   lambda: person.ask("/tracking"), rounds=ROUNDS)  # fmt: skip
    assert person.get(address, headers={"HX-Request": "true"}).status_code == 204
    return Row("a poll of /tracking without news, against the page", f"{mine * 1000:.1f} ms", f"{theirs * 1000:.0f} ms",
               ratio, "<= 0.25", ratio <= 0.25)  # fmt: skip


def export(person: Person, folder) -> Row:
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
