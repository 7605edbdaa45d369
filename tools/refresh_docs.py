"""Write the real output of every example into the documentation, and report what fails.

Pages are named on the command line; without any, all are refreshed. Read the difference before you commit it: a changed figure is a
changed price or a defect.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "docs"))

from pages import REPOSITORY, pages, play


def refresh(page: Path) -> list[str]:
    """Run one page, rewrite the outputs that differ, and return its failures."""
    text = page.read_text(encoding="utf-8")
    failures: list[str] = []
    changes: list[tuple[int, int, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for outcome in play(page, Path(folder)):
            line = text.count("\n", 0, outcome.block.start)
            if outcome.failure:
                failures.append(f"{page.relative_to(REPOSITORY)}:{line}: {outcome.failure}")
            if outcome.expected != outcome.actual:
                changes.append((outcome.block.start, outcome.block.end, outcome.actual))
    for start, end, actual in reversed(changes):
        text = text[:start] + actual + text[end:]
    if changes:
        page.write_text(text, encoding="utf-8")
        print(f"{page.relative_to(REPOSITORY)}: {len(changes)} outputs rewritten")
    return failures


def main() -> int:
    """Refresh the pages named, or all."""
    named = [Path(name).resolve() for name in sys.argv[1:]] or pages()
    failures = [failure for page in named for failure in refresh(page)]
    print("\n".join(failures) or "every example runs")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
