"""What the pages say must be true."""

import re

from portal.config import ROOT, Settings


def settings_table() -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "the checkout's `instance/`" if name == "instance" else f"`{field.default}`"
        if field.default in ("", None):
            default = ""
        rows.append(f"| `OMIX_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def test_every_setting_is_documented():
    assert settings_table() in (ROOT / "docs" / "settings.md").read_text()


def test_links_of_the_readme_lead_somewhere():
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_paths_that_the_maps_name_are_there():
    """Spans such as `portal/web/<room>/` or `ingest/heartbeat.py`, from the root or from `portal/`."""
    for page in ("README.md", "docs/architecture.md"):
        for span in re.findall(r"`([a-z_]+/[\w./<>*]+)`", (ROOT / page).read_text()):
            path = re.sub(r"<\w+>", "*", span).rstrip("/")
            found = list(ROOT.glob(path)) or list(ROOT.glob(f"portal/{path}"))
            assert found, f"{page}: {span}"
