"""A test that waits for ever fails, and the tests after it still run."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = """
import subprocess

def test_hanging():
    with subprocess.Popen(["sleep", "30"]) as process:
        try:
            process.wait()
        finally:
            process.kill()

def test_after():
    pass
"""


def test_hanging_test_fails_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    options = ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "xdist", "-p", "tests.plugins.patience"]

    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-o", "patience=1", "-n", "1", str(tmp_path)],
        env=env,
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )

    assert "Failed: still running after 1 s" in run.stdout
    assert "1 failed, 1 passed" in run.stdout
