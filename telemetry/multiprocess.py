"""The folder in which the processes of one gunicorn put their numbers together.

prometheus_client decides when it is imported whether it writes there; so `fresh_folder` comes before everything else.
Who was killed could not remove theirs. They hold a lock as long as they live, they or their children, so the next one
knows which are nobody's any more: ids of processes would not tell, in a container they are always the same.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # as prometheus_client names it
PREFIX = "rejoinder-metrics-"
LOCK = "lock"

_made_by: int | None = None
_lock: int | None = None  # a descriptor; children inherit it


def fresh_folder() -> None:
    """Have an empty one from now on, in this process and its children; the same one after gunicorn has reloaded.

    Removes those of this user's that nobody uses any more.
    """
    global _made_by, _lock
    if _made_by == os.getpid():
        return
    _made_by = os.getpid()
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = os.environ[FOLDER] = tempfile.mkdtemp(prefix=PREFIX)
    _lock = _locked(Path(folder))
    atexit.register(_remove, folder, os.getpid())


def forget(pid: int) -> None:
    """A process has ended: what it held, it holds no more; what it has counted stays counted.

    As prometheus_client's `mark_process_dead`, which loads `ssl`: in the parent, that would come before gevent's patch
    in whoever takes the place of the dead.
    """
    for held in Path(os.environ[FOLDER]).glob(f"gauge_live*_{pid}.db"):
        held.unlink(missing_ok=True)


def _locked(folder: Path) -> int:
    """Has its name only when it is locked, so whoever finds it unlocked may be sure."""
    unnamed = folder / f"{LOCK}.new"
    lock = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    unnamed.rename(folder / LOCK)
    return lock


def _remove_abandoned(temporary: Path) -> None:
    for folder in temporary.glob(f"{PREFIX}*"):
        try:
            if folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder / LOCK, os.O_RDWR)
        except (FileNotFoundError, NotADirectoryError):
            continue  # it is being made, another one has removed it, or it is none of ours
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue  # somebody's
        finally:
            os.close(lock)


def _remove(folder: str, pid: int) -> None:
    if os.getpid() == pid:  # not where a child ends, which has inherited this
        shutil.rmtree(folder, ignore_errors=True)
