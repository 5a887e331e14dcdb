"""The house: bottom knows nothing of top, files stay small, only one module knows a thing that only one may know."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Rank of each part; a module imports its own rank and below.
RANKS = {
    "portal.clock": 0,
    "portal.errors": 0,
    "portal.states": 0,
    "portal.config": 0,
    "portal.faults": 0,
    "portal.logs": 0,
    "portal.inspection": 1,
    "portal.storage": 1,
    "portal.keys": 1,
    "portal.db": 1,
    "portal.queue": 1,
    "portal.models": 2,
    "portal.migrations": 2,
    "portal.domain": 3,
    "portal.queries": 3,
    "portal.telemetry": 3,
    "portal.ingest": 4,
    "portal.domain.access_requests.download_log": 4,
    "portal.maintenance.self_check": 4,
    "portal.jobs": 5,
    "portal.web": 5,
    "ftp": 5,
}
WIRING = 6


def modules():
    for folder in ("portal", "ftp"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, path


def rank(name: str) -> int:
    found = [known for known in RANKS if name == known or name.startswith(known + ".")]
    return RANKS[max(found, key=len)] if found else WIRING


def imports(path: Path):
    """What a module imports at its top level, types apart."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known = {name for name, _path in MODULES}
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known else node.module


MODULES = list(modules())


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[name for name, _path in MODULES])
def test_module_imports_nothing_above_it(name, path):
    above = [one for one in imports(path) if one.split(".")[0] in ("portal", "ftp") and rank(one) > rank(name)]

    assert above == []


def test_edges_do_not_import_each_other():
    edges = {"portal.web": ("portal.jobs", "ftp"), "portal.jobs": ("portal.web", "ftp"), "ftp": ("portal.web",)}
    wrong = []
    for name, path in MODULES:
        for edge, others in edges.items():
            if name.startswith(edge):
                wrong += [(name, one) for one in imports(path) if one.startswith(others)]

    assert wrong == []


def test_only_db_knows_the_database():
    words = ("PRAGMA", "sqlite_master", "pysqlite3", "VACUUM")
    knowing = {name for name, path in MODULES for word in words if word in path.read_text()}

    assert {name for name in knowing if "migrations" not in name} <= {"portal.db"}


def test_only_htmx_knows_its_headers():
    knowing = {name for name, path in MODULES if "HX-" in path.read_text()}

    assert knowing <= {"portal.web.htmx"}


def test_domain_never_commits_and_never_sees_a_request():
    wrong = []
    for name, path in MODULES:
        if name.startswith("portal.domain"):
            text = path.read_text()
            wrong += [(name, word) for word in (".commit()", "import flask", "from flask") if word in text]

    assert wrong == []


def test_files_stay_readable():
    long = {name: lines for name, path in MODULES if (lines := path.read_text().count("\n")) > 320}
    long = {name: lines for name, lines in long.items() if "migrations.versions" not in name}

    assert long == {}
