"""``make bench``: every benchmark of this folder, one after another, each in its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    worst = 0
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        sys.stdout.write(f"\n== {path.stem} ==\n")
        sys.stdout.flush()
        worst = max(worst, subprocess.run([sys.executable, "-m", f"tests.bench.{path.stem}"]).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
