"""A clone stays small: weights are the only large files, and history keeps every version of them."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST_CLONE = 150_000_000  # bytes, work tree and history


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_clone_stays_under_150_mb():
    tree = sum((ROOT / name).lstat().st_size for name in git("ls-files", "-z").split("\0") if name)
    folder = git("rev-parse", "--absolute-git-dir").strip()
    history = sum(Path(path, name).stat().st_size for path, _, names in os.walk(folder) for name in names)
    assert tree + history < LARGEST_CLONE, f"{tree} bytes of files, {history} of history"
