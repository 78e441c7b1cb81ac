"""The project's own Python environment: made once, filled from a lock file whenever that has changed.

Standard library only: this runs before anything is installed.
"""

import subprocess
import sys
from pathlib import Path

from development.checkout import ROOT, Stamp

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = ROOT / "requirements"
AS_LOCKED = ["--require-hashes", "--no-deps"]  # a lock names everything there is to install

NO_VENV = """This Python cannot make virtual environments: its `venv` or `ensurepip` module is missing.
Debian and Ubuntu ship them as a package of their own; as root:

    apt-get install python3-venv

then try again. Without root: any other Python 3.11 or newer will do, `make PYTHON=/path/to/python3 …`."""


def install(lock: str) -> None:
    """Make the environment hold what requirements/<lock>.txt names. Returns at once if it does already."""
    _make_venv()
    file = LOCKS / f"{lock}.txt"
    stamp = Stamp(VENV / "locks" / lock, [file])
    if stamp.is_current():
        return
    if lock != "uv":
        install("uv")
    print(f"Installing Python packages ({file.relative_to(ROOT)})", flush=True)
    if lock != "uv" and _install_with_uv(file):
        stamp.set()
        return
    subprocess.run([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *AS_LOCKED, "-r", file], check=True)
    stamp.set()


def _install_with_uv(file: Path) -> bool:
    """uv takes a fraction of pip's time. But it does not read pip's settings, which may name a mirror."""
    command: list[str | Path] = [VENV / "bin" / "uv", "pip", "install", "--python", PYTHON, *AS_LOCKED, "-r", file]
    if subprocess.run(command, check=False).returncode == 0:
        return True
    print("uv could not install them; pip, which may be set up otherwise here, tries now.", flush=True)
    return False


def _make_venv() -> None:
    if _answers(PYTHON):
        return
    if not _can_make_venvs():
        sys.exit(NO_VENV)
    print(f"Making the Python environment ({VENV.relative_to(ROOT)})", flush=True)
    # --clear: what lies there does not run, for example because its Python has been removed.
    if subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False).returncode != 0:
        sys.exit(NO_VENV)


def _can_make_venvs() -> bool:
    # Debian removes `ensurepip` without python3-venv; `venv` itself stays, and fails late.
    return _answers(sys.executable, "-c", "import venv, ensurepip")


def _answers(python: Path | str, *arguments: str) -> bool:
    try:
        return subprocess.run([python, *(arguments or ("-c", ""))], check=False, capture_output=True).returncode == 0
    except OSError:
        return False
