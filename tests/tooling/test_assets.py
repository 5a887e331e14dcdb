"""Browser assets: what is listed is there, and pages and styles ask for nothing else."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "static" / "vendor"
LISTED = set(json.loads((ROOT / "assets.json").read_text()))
MENTION = re.compile(r"vendor/([\w./-]+\.\w+)")


def mentioned() -> set[str]:
    pages = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static").glob("*.css"), *(ROOT / "static").glob("*.js")]
    return {name for page in pages for name in MENTION.findall(page.read_text())}


def test_listed_assets_are_installed() -> None:
    assert {name for name in LISTED if not (VENDOR / name).stat().st_size} == set()


def test_pages_ask_only_for_listed_assets() -> None:
    assert {"bootstrap.min.css", "htmx.min.js"} <= mentioned()
    assert mentioned() - LISTED == set()
