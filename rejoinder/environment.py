"""The settings that the processes would start with: read by their own code, from the same environment.

Nothing here says what a variable means or what would be right; `webapp`, `workers`, `streams` and `conversations` do.
"""

import os
import re
from dataclasses import dataclass, field

import click

from conversations import ConversationSettings
from jobs.settings import ProcessSettings, SettingsError
from streams import StreamSettings
from telemetry.errors import ErrorSettings
from telemetry.settings import LogSettings, TraceSettings
from webapp.settings import Settings as WebSettings
from webapp.settings import load_settings as load_web_settings
from workers.settings import Settings as WorkerSettings
from workers.settings import load_settings as load_worker_settings

Complaints = dict[str, list[str]]
"""What is wrong, in the words of whoever reads it, and which processes it stops."""

WEB, WORKER = "web", "worker"
BOTH = (WEB, WORKER)


@dataclass
class Environment:
    """What could be read; None of what could not, which is then among the complaints."""

    web: WebSettings | None = None
    worker: WorkerSettings | None = None
    streams: StreamSettings | None = None
    conversations: ConversationSettings | None = None
    complaints: Complaints = field(default_factory=dict)

    @property
    def redis(self) -> ProcessSettings | None:
        """Where Redis is, and which queue there is in it: both processes read the same variables."""
        return self.web or self.worker


def read_environment(processes: tuple[str, ...] = BOTH) -> Environment:
    """As these processes would at their start; all complaints of all of them, each once."""
    read = Environment()
    if WEB in processes:
        try:
            read.web = load_web_settings()
        except SettingsError as error:
            _complain(read.complaints, str(error), WEB)
    if WORKER in processes:
        try:
            read.worker = load_worker_settings()
        except SettingsError as error:
            _complain(read.complaints, str(error), WORKER)
    try:
        read.streams = StreamSettings.from_env(os.environ)
    except ValueError as error:
        _complain(read.complaints, str(error), *processes)
    try:
        read.conversations = ConversationSettings.from_env(os.environ)
    except ValueError as error:
        _complain(read.complaints, str(error), *processes)
    for read_them in (LogSettings.from_env, ErrorSettings.from_env, TraceSettings.from_env):
        try:
            read_them(os.environ)
        except ValueError as error:
            _complain(read.complaints, str(error), *processes)
    if WEB in processes:
        for name in ("PORT", "WEB_CONCURRENCY"):  # gunicorn's, which has no words of its own for them
            if whole_number(name) is None:
                _complain(read.complaints, f"{name} is no whole number; expected one from 1, for example 8000", WEB)
    return read


def whole_number(name: str) -> int | None:
    """What this variable says, 1 where it is absent; None where it is no number from 1."""
    text = os.environ.get(name) or "1"
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65_536 else None


def needed_environment() -> tuple[ProcessSettings, StreamSettings, ConversationSettings]:
    """For a command that looks at streams: where they are, and neither key nor secret of anything.

    Raises click.ClickException with all complaints.
    """
    read, redis = read_environment(()), None
    try:
        redis = ProcessSettings.load("The command")
    except SettingsError as error:
        _complain(read.complaints, str(error))
    if redis is None or read.streams is None or read.conversations is None:
        raise click.ClickException(
            "\n".join(["The settings are not right:", *(f"  {each}" for each in read.complaints)])
        )
    return redis, read.streams, read.conversations


def _complain(complaints: Complaints, words: str, *processes: str) -> None:
    """Two processes may say of the same variable in other words that it is wrong; those of the first are enough."""
    for line in map(str.strip, words.splitlines()):
        if line.endswith(":"):
            continue  # "The worker cannot start:"
        of_it = next((each for each in complaints if _variable(each) == _variable(line)), line)
        complaints.setdefault(of_it, []).extend(processes)


def _variable(complaint: str) -> str:
    """The one that it begins with."""
    return re.split(r"[^A-Z_]", complaint, maxsplit=1)[0]
