"""A clone stays small: weights are the only large files, and history keeps every version of them."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST_CLONE = 300_000_000  # bytes, work tree and history


def test_a_fresh_clone_stays_under_300_mb(tmp_path):
    # This checkout's own .git may hold what no clone gets: objects of commits given up, packs stored twice.
    command = ["git", "clone", "--quiet", "--no-local", "--single-branch", str(ROOT), "clone"]
    subprocess.run(command, cwd=tmp_path, check=True)
    size = sum(Path(path, name).lstat().st_size for path, _, names in os.walk(tmp_path) for name in names)
    assert size < LARGEST_CLONE, f"{size} bytes"
