"""Names found by the index of letters, and without it alike: before it is filled, after, and as names change."""

import pytest
from sqlalchemy import delete, select, update

from portal import clock, db
from portal.domain.datasets import datasets
from portal.domain.files import files
from portal.domain.shared import search_index
from portal.models import Component, Dataset, File, TextMark, Upload
from portal.queries.files import files as shown
from portal.queries.tracking import submissions, tracking, upload_filter
from portal.queries.tracking.upload_filter import Filter
from tests.conftest import INES, STRANGER
from tests.state_guard import states_unguarded
from tests.tracking.test_tracking import upload

NAMES = (
    "run/Liver_01.fastq.gz",
    "run/liver_02.bam",
    "50%/a_b.gz",
    "肝脏/代谢组.gz",
    "ÄRGER/größe.txt",
    'say "yes".txt',
    "x\\y",
)
SOUGHT = (
    "liver",
    "LIVER_0",
    "run/",
    "a_b",
    "a%b",
    "50%",
    "代谢组",
    "肝脏",
    "ärger",
    "ÄRGER",
    "GRÖSSE",
    "größe",
    '"yes"',
    "x\\y",
    "01",
    "1",
    "7",
    "007",
    "AND OR",
    "absent",
    "a" * 500,
    "liver*",
    "liver OR run",
    "run\0x",
)


def make(person, names, first=1):
    with db.transaction() as session:
        for n, name in enumerate(names, first):
            session.add(Upload(**upload(person.account, n, name=name, created_at=clock.now() - clock.HOUR)))


def find(person, text: str, **more) -> list[str]:
    today = clock.today("UTC")
    wanted = Filter(clock.day_of(0, "UTC"), today, state="all", text=text, **more)
    page = tracking.page(person.account, wanted, tracking.survey(person.account, wanted))
    return [row.upload.name for row in page.rows]


def fill() -> int:
    with db.transaction():
        return search_index.take_in(few=0)


@pytest.fixture
def named(database):
    make(INES, NAMES)


def test_index_finds_what_looking_through_finds(named):
    before = {text: find(INES, text) for text in SOUGHT}
    assert fill() == len(NAMES) and fill() == 0
    assert db.session.scalar(select(TextMark.upto).where(TextMark.name == "upload_text")) == len(NAMES)
    assert {text: find(INES, text) for text in SOUGHT} == before
    assert {text for text in SOUGHT if not before[text]} == {
        "a%b",
        "ärger",
        "GRÖSSE",
        "AND OR",
        "absent",
        "a" * 500,
        "liver*",
        "liver OR run",
        "run\0x",
    }
    assert before["7"] == [NAMES[6]]  # by its number


def test_what_came_since_is_found_too(named):
    fill()
    make(INES, ["run/late_liver.gz"], first=100)
    assert find(INES, "liver") == ["run/late_liver.gz", NAMES[1], NAMES[0]]
    assert find(INES, "late") == ["run/late_liver.gz"]


def test_index_follows_a_new_name_and_what_goes(named):
    fill()
    with states_unguarded() as session:
        session.execute(update(Upload).where(Upload.name == NAMES[0]).values(name="run/kidney.gz"))
        session.execute(delete(Upload).where(Upload.name == NAMES[1]))
    assert (find(INES, "liver"), find(INES, "kidney")) == ([], ["run/kidney.gz"])
    assert db.session.scalars(db.text_ids("upload_text", ["liver"], owner=INES.id)).all() == []


def test_what_others_sent_is_neither_found_nor_counted(named):
    make(STRANGER, [f"run/liver_{n}.gz" for n in range(50)], first=200)
    fill()
    assert find(INES, "liver") == [NAMES[1], NAMES[0]]
    assert len(db.session.scalars(db.text_ids("upload_text", ["liver"], owner=INES.id)).all()) == 2
    assert db.text_matches("upload_text", ["liver"], most=10) is None


def test_few_rows_wait_for_more(named):
    with db.transaction():
        assert search_index.take_in() == 0
    with db.transaction():
        assert search_index.take_in(few=3, most=5) == 5
    assert find(INES, "yes") == ['say "yes".txt']


@pytest.mark.parametrize("sort", sorted(upload_filter.SORTS))
def test_words_and_other_filters_go_together(named, sort):
    fill()
    assert sorted(find(INES, "liver", sort=sort)) == sorted(NAMES[:2])
    assert find(INES, "liver", sort=sort, realm="protected") == []
    assert find(INES, "liver", sort=sort, problems=True) == []


def test_plan_asks_the_index_of_letters(named):
    query = upload_filter.by_name(INES.account, "liver")
    text = str(query.compile(db.engine(), compile_kwargs={"literal_binds": True}))
    plan = [row[3] for row in db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert any("VIRTUAL TABLE INDEX" in line for line in plan) and all(line != "SCAN upload" for line in plan)


@pytest.fixture
def many(database) -> Dataset:
    """A dataset of files and components with words in their names and titles, taken into the indexes but the last."""
    titles = ("Liver of mice", "kidney", "肝脏 of mice", "Größe", "100% pure", "Livers")
    with db.transaction() as session:
        made = datasets.create(
            actor=INES.account,
            title="T",
            description="D",
            species="S",
            files=[{"name": f"run/s{n}.gz", "title": title} for n, title in enumerate(titles[:-1])],
        )
        session.add_all(
            Component(
                dataset_id=made.id,
                center_id=made.center_id,
                type="SAMPLE",
                alias=f"s-{n}",
                title=title,
                accession=f"OMIXS{n:06d}",
                received_at=1,
                updated_at=1,
            )
            for n, title in enumerate(titles[:-1])
        )
    fill()
    with db.transaction() as session:
        files.add(made, [{"name": "run/s5.gz", "title": titles[-1]}], actor=INES.account)
        session.add(
            Component(
                dataset_id=made.id,
                center_id=made.center_id,
                type="RUN",
                alias="s-5",
                title=titles[-1],
                accession="OMIXR000005",
                received_at=1,
                updated_at=1,
            )
        )
    return made


SAID = ("liver", "LIVER", "mice", "of mice", "肝脏", "größe", "100%", "s1", "absent", "x" * 300)


def of_files(dataset: Dataset, text: str) -> list[int]:
    return [row.file.n - 1 for row in shown.page(dataset, text=text).rows]


def of_components(dataset: Dataset, text: str) -> list[int]:
    return [int(one.alias[2:]) for one in submissions.components(dataset, text=text).rows]


@pytest.mark.parametrize("look", [of_files, of_components])
def test_words_among_files_and_components_are_found_with_and_without_the_index(many, monkeypatch, look):
    with_index = {text: look(many, text) for text in SAID}
    monkeypatch.setattr("portal.db.text_ids", lambda *_args, **_more: None)
    assert with_index == {text: look(many, text) for text in SAID}
    assert with_index["liver"] == with_index["LIVER"] == [0, 5] and with_index["肝脏"] == [2]
    assert with_index["absent"] == [] and with_index["100%"] == [4]


def test_component_is_found_by_its_accession(many):
    assert of_components(many, "omixs000003") == [3] and of_components(many, "OMIXR000005") == [5]


def test_new_titles_are_found_and_old_ones_are_not(many):
    with db.transaction() as session:
        session.execute(update(File).where(File.title == "kidney").values(title="Spleen"))
        session.execute(update(Component).where(Component.title == "kidney").values(title="Spleen"))
    assert (of_files(many, "kidney"), of_files(many, "spleen")) == ([], [1])
    assert (of_components(many, "kidney"), of_components(many, "spleen")) == ([], [1])
