"""The house: imports go down, rooms stay small, and only one module knows a thing that only one may know.

docs/architecture.md draws what RANKS says. Lowest first; what stands in one line may not import each other.
"""

import ast
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = """
portal.clock portal.config portal.faults portal.logs portal.messages portal.queue portal.states
portal.errors
portal.db portal.inspection portal.storage
portal.keys portal.models
portal.migrations
portal.queries.paging portal.domain.permissions
portal.domain.shared
portal.domain.accounts portal.domain.files
portal.domain.access_requests portal.domain.datasets
portal.domain.components portal.domain.reports
portal.domain.uploads portal.domain.webhooks
portal.domain.archive
portal.queries.access_requests portal.queries.accounts portal.queries.admin portal.queries.catalogue
portal.queries.components portal.queries.files portal.queries.reports portal.queries.review
portal.queries.datasets
portal.queries.uploads portal.queries.webhooks
portal.queries.tracking
portal.ingest
portal.maintenance
portal.jobs.handlers portal.web
portal.jobs
portal.web.accounts portal.web.components portal.web.reports portal.web.help portal.web.review
portal.web.access_requests portal.web.api
portal.web.catalogue
portal.web.admin portal.web.datasets portal.web.tracking portal.web.uploads portal.web.webhooks
portal.web.files
ftp
portal.web.app
portal
portal.server
portal.cli
"""
RANKS = {room: rank for rank, line in enumerate(FLOORS.strip().splitlines()) for room in line.split()}
# Whose modules may load others by name, so that a process does not load the web, and why, is said where they do it.
BY_NAME = {"portal", "portal.cli.main"}
MOST_MODULES, MOST_GROUND, MOST_LINES = 15, 12, 320
MOST_COLUMNS = 140  # of a template: pages and mails


def modules() -> Iterator[tuple[str, Path]]:
    for folder in ("portal", "ftp"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


MODULES = dict(modules())


def room_of(name: str) -> str:
    """The longest ranked name that a module's name begins with."""
    parts = name.split(".")
    return next(room for n in range(len(parts), 0, -1) if (room := ".".join(parts[:n])) in RANKS)


def imports(path: Path, name: str) -> Iterator[str]:
    """Every module of ours that a module imports: at its top, for its types, inside functions, or by name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from [found for found in (whole, node.module) if found in MODULES][:1]
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant) and arg.value in MODULES)


# Importing a.b.c runs a and a.b too; who imports a package's part is not asked about the package, only who takes a name
# out of the package itself.
@cache
def graph() -> dict[str, set[str]]:
    """What each module imports. Read when it is first asked for: a process that only collects has no use for it."""
    return {name: set(imports(path, name)) - {name} for name, path in MODULES.items()}


def test_every_module_stands_in_a_ranked_room():
    bare = {"portal.domain", "portal.queries"}  # folders of rooms, with nothing in them

    assert [name for name in MODULES if room_of(name) == "portal" and name != "portal"] == sorted(bare)
    assert [name for name in bare if graph()[name]] == []


@pytest.mark.parametrize("name", MODULES)
def test_module_imports_nothing_above_it_nor_beside_its_room(name):
    mine = room_of(name)
    wrong = [found for found in graph()[name] if (room := room_of(found)) != mine and RANKS[room] >= RANKS[mine]]

    assert wrong == []


def test_no_module_imports_itself_in_a_circle():
    finished: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in finished:
            for found in sorted(graph()[name]):
                walk(found, (*way, name))
            finished.add(name)

    for name in MODULES:
        walk(name, ())


def test_modules_are_loaded_by_name_only_where_the_web_must_stay_out():
    ways = ("import_module", "__import__", "import_string")
    using = {name for name, path in MODULES.items() if any(way in path.read_text() for way in ways)}

    assert using <= BY_NAME


def test_edges_do_not_import_each_other():
    edges = {
        "portal.web": ("portal.jobs", "ftp"),
        "portal.jobs": ("portal.web", "ftp"),
        "ftp": ("portal.web", "portal.jobs"),
    }
    wrong = [
        (name, found)
        for name, known in graph().items()
        for edge, others in edges.items()
        for found in known
        if f"{name}.".startswith(f"{edge}.") and found.startswith(others)
    ]

    assert wrong == []


def test_folders_and_files_stay_readable():
    folders: dict[Path, int] = {}
    for name, path in MODULES.items():
        if path.name != "__init__.py" and "migrations.versions" not in name:
            folders[path.parent] = folders.get(path.parent, 0) + 1
    long = [name for name, path in MODULES.items() if path.read_text().count("\n") > MOST_LINES]

    assert {str(folder): count for folder, count in folders.items() if count > MOST_MODULES} == {}
    assert folders[ROOT / "portal"] <= MOST_GROUND
    assert [name for name in long if "migrations.versions" not in name] == []


def test_rooms_bear_one_name_in_domain_queries_web_templates_and_tests():
    def rooms(folder: str) -> set[str]:
        return {path.name for path in (ROOT / folder).iterdir() if path.is_dir() and "__" not in path.name}

    assert rooms("portal/queries") - rooms("portal/domain") <= {"admin", "catalogue", "paging", "review", "tracking"}
    assert rooms("portal/web") - rooms("portal/domain") <= {"admin", "api", "catalogue", "help", "review", "tracking"}
    assert rooms("portal/web") - rooms("templates") == {"api"}
    assert (rooms("portal/domain") | rooms("portal/queries") | rooms("portal/web")) - rooms("tests") == {"api"}


def test_only_db_knows_the_database():
    words = ("PRAGMA", "sqlite_master", "pysqlite3", "VACUUM")
    knowing = {name for name, path in MODULES.items() for word in words if word in path.read_text()}

    assert {name for name in knowing if "migrations" not in name} <= {"portal.db"}


def test_only_htmx_knows_its_headers():
    knowing = {name for name, path in MODULES.items() if "HX-" in path.read_text()}

    assert knowing <= {"portal.web.htmx"}


def test_domain_never_commits_and_never_sees_a_request():
    wrong = []
    for name, path in MODULES.items():
        if name.startswith("portal.domain"):
            text = path.read_text()
            wrong += [(name, word) for word in (".commit()", "import flask", "from flask") if word in text]

    assert wrong == []


def test_layout_is_the_formatters_alone():
    whole = "\n".join(path.read_text() for path in (*MODULES.values(), *(ROOT / "tests").rglob("*.py")))

    assert whole.count("fmt: " + "skip") + whole.count("fmt: " + "off") < 20


def test_lines_of_templates_fit_a_screen():
    pages = [path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")]
    wide = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in pages
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MOST_COLUMNS
    ]

    assert len(pages) > 100 and wide == []


def test_ranks_tell_rooms_that_exist():
    assert [room for room in RANKS if room not in MODULES] == []
    assert all(above > below for below, above in pairwise(sorted(set(RANKS.values()))))
