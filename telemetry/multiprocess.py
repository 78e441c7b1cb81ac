"""The folder in which the processes of one gunicorn put their numbers together.

prometheus_client decides when it is imported whether it writes there; so `fresh_folder` comes before everything else.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # as prometheus_client names it

_made_by: int | None = None


def fresh_folder() -> None:
    """Have an empty one from now on, in this process and its children; the same one after gunicorn has reloaded."""
    global _made_by
    if _made_by == os.getpid():
        return
    _made_by = os.getpid()
    folder = os.environ[FOLDER] = tempfile.mkdtemp(prefix="rejoinder-metrics-")
    atexit.register(_remove, folder, os.getpid())


def forget(pid: int) -> None:
    """A process has ended: what it held, it holds no more; what it has counted stays counted.

    As prometheus_client's `mark_process_dead`, which loads `ssl`: in the parent, that would come before gevent's patch
    in whoever takes the place of the dead.
    """
    for held in Path(os.environ[FOLDER]).glob(f"gauge_live*_{pid}.db"):
        held.unlink(missing_ok=True)


def _remove(folder: str, pid: int) -> None:
    if os.getpid() == pid:  # not where a child ends, which has inherited this
        shutil.rmtree(folder, ignore_errors=True)
