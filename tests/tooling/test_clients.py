"""Tests that need a missing program are told apart from tests that passed."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = """
from tests.plugins.clients import needs

@needs("no-such-program")
def test_lacking():
    raise AssertionError("must not run")

@needs("sh")
def test_served():
    pass
"""


def run_sample(folder: Path, *, ci: str, workers: int = 0) -> subprocess.CompletedProcess[str]:
    sample = folder / "test_sample.py"
    sample.write_text(SAMPLE)
    env = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    options = ["-c", os.devnull, "--rootdir", str(folder), "-p", "xdist", "-p", "tests.plugins.clients"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-n", str(workers), str(sample)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_program_skips_and_says_so_once(tmp_path: Path) -> None:
    run = run_sample(tmp_path, ci="", workers=1)

    assert run.returncode == 0, run.stdout
    assert run.stdout.count("1 TESTS DID NOT RUN FOR WANT OF: no-such-program") == 1
    assert "1 passed, 1 skipped" in run.stdout


def test_missing_program_fails_under_ci(tmp_path: Path) -> None:
    run = run_sample(tmp_path, ci="true")

    assert run.returncode == 1
    assert "1 TESTS FAILED FOR WANT OF: no-such-program" in run.stdout
    assert "1 passed, 1 error" in run.stdout
