"""What workers of a cluster run in the tests; they import it from here."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tokencost.streams import partitions
from tokencost.streams.parts import PartFile

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["dies", "finish_as_ever", "finish_fails", "finish_waits", "first_waits", "piece", "piece_or_wait"]


def piece(log: pa.Table, number: int, pieces: int) -> pa.Table:
    """Give one of the equal pieces of a log."""
    size = -(-log.num_rows // pieces)
    return log.slice(number * size, size)


def piece_or_wait(log: pa.Table, number: int, pieces: int, marker: str) -> pa.Table:
    """Give a piece; the first to come waits until it is killed."""
    first_waits(marker)
    return piece(log, number, pieces)


def first_waits(marker: str) -> None:
    """Say in a file where this worker runs, and wait to be killed; whoever finds that file goes on."""
    beside = Path(f"{marker}.{os.getpid()}")
    beside.write_text(str(os.getpid()), encoding="ascii")
    try:
        os.link(beside, marker)  # there at once and whole, for one worker alone
    except FileExistsError:
        return
    while True:
        time.sleep(0.01)


def dies() -> None:
    """End this worker without warning, as the system does where memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def finish_waits(marker: str) -> None:
    """From now on, wait before the first part is moved in place."""

    def finish(part: PartFile) -> int:
        first_waits(marker)
        return PartFile.finish(part)

    partitions._Attempt.finish = finish


def finish_fails(name: str) -> None:
    """From now on, the disk is full for one part."""

    def finish(part: PartFile) -> int:
        if part.path.name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return PartFile.finish(part)

    partitions._Attempt.finish = finish


def finish_as_ever() -> None:
    """Undo what was done to parts."""
    if "finish" in vars(partitions._Attempt):
        del partitions._Attempt.finish
