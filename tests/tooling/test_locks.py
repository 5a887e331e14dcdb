"""Lock files: complete, hashed, the same versions everywhere, and free of addresses."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.txt", "requirements-dev.txt", "requirements-build.txt"]
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\$")


def blocks(lock: str) -> list[tuple[str, list[str]]]:
    """Each pinned line of a lock with the lines that belong to it."""
    found: list[tuple[str, list[str]]] = []
    for line in (ROOT / lock).read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            found.append((line, []))
        elif line:
            found[-1][1].append(line)
    return found


def pins(lock: str) -> dict[str, str]:
    return {match["name"]: match["version"] for line, _ in blocks(lock) if (match := PIN.match(line))}


def declared() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~;]", text)[0].strip() for text in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_and_hashes_every_package(lock: str) -> None:
    unhashed = [line for line, rest in blocks(lock) if not any("--hash=sha256:" in text for text in rest)]

    assert unhashed == []
    assert [line for line, _ in blocks(lock) if not PIN.match(line)] == []


@pytest.mark.parametrize("lock", [*LOCKS, "package-lock.json", ".npmrc"])
def test_lock_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert re.findall(r"--(?:index|extra-index|find-links)\S*|\"resolved\"|^registry\s*=", text, re.M) == []
    assert re.findall(r"https?://(?!github\.com/sponsors/|opencollective\.com/)\S+", text) == []


def test_lock_holds_what_the_project_declares() -> None:
    project = declared()

    assert names(project["project"]["dependencies"]) <= pins("requirements.txt").keys()
    assert names(project["dependency-groups"]["dev"]) <= pins("requirements-dev.txt").keys()
    assert names(project["dependency-groups"]["build"]) <= pins("requirements-build.txt").keys()


def test_dev_lock_has_the_versions_that_run() -> None:
    running, developing = pins("requirements.txt"), pins("requirements-dev.txt")

    assert {name: developing.get(name) for name in running} == running


def test_lock_serves_newer_pythons() -> None:
    """Python 3.12 dropped the two modules that pyftpdlib stands on."""
    markers = {match["name"]: match["marker"] for line, _ in blocks("requirements.txt") if (match := PIN.match(line))}

    assert markers["pyasyncore"] == markers["pyasynchat"] == "python_full_version >= '3.12'"


def test_browser_packages_are_pinned_and_hashed() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    locked = {path.removeprefix("node_modules/"): entry for path, entry in packages.items() if path}

    assert {name: locked[name]["version"] for name in wanted} == wanted
    assert [name for name, entry in locked.items() if not entry.get("integrity", "").startswith("sha512-")] == []
