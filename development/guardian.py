"""Ends what a launcher started when the launcher itself is killed: nothing is left behind, and no port taken.

`Guardian` is the launcher's side. The other side is a small process that learns the groups over a pipe, and sees the
pipe close when the launcher is gone, however that happened. Unlike PR_SET_PDEATHSIG it works on macOS and reaches
grandchildren. Standard library only.
"""

import signal
import subprocess
import sys
from types import TracebackType
from typing import Self

from development.checkout import ROOT
from development.groups import end_groups

PATIENCE = 5.0  # seconds between asking and killing; nobody waits for it


class Guardian:
    """Watches over process groups for the length of a `with` block. It keeps the descriptors `holding` open too."""

    def __init__(self, holding: tuple[int, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "development.guardian"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            start_new_session=True,  # out of reach of Ctrl-C
            pass_fds=holding,
            text=True,
            bufsize=1,
        )

    def watch(self, group: int) -> None:
        """End this group should I be killed; the last one first."""
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """It has ended; its number may soon be another's."""
        self._tell(f"-{group}")

    def _tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        group = int(line[1:])
        groups.append(group) if line[0] == "+" else groups.remove(group)
    for group in reversed(groups):
        end_groups([group], PATIENCE)


if __name__ == "__main__":
    main()
