"""Starts commands in stages, notices when one ends, and ends them all in the opposite order.

honcho reads the Procfile, starts each command as it does (a shell, a group of its own) and prints what it says; its
own Manager starts and stops everything at the same moment, which would take Redis from under a worker that is saving.
"""

import signal
import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue

from honcho.process import Popen

from development.checkout import ROOT
from development.console import Console
from development.groups import end_groups, is_alive
from development.guardian import Guardian

PATIENCE = 10.0  # seconds between asking a child to end and killing it
POLL = 0.1  # seconds between two looks at whether something is ready
LAST_WORDS = 1.0  # seconds for what a child that ended has written to arrive
ENDED_WELL = (0, -signal.SIGTERM)  # when it was asked to


class Stopped(Exception):
    """Somebody pressed Ctrl-C, or sent SIGTERM or SIGHUP."""


class Failed(Exception):
    """The message says what, and why, for whoever started us."""


class Child:
    """One running command. What it says while it starts and stops is of interest only if that goes wrong."""

    def __init__(self, name: str, command: str, environ: Mapping[str, str], events: "SimpleQueue[Child | str]") -> None:
        self.name = name
        self.lines: SimpleQueue[str] = SimpleQueue()
        self.is_ready = False
        self.may_end = False
        self._events = events
        self._process = Popen(command, env=dict(environ), cwd=ROOT)
        self.group: int = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._waiter = threading.Thread(target=self._wait, daemon=True)
        self._waiter.start()

    @property
    def code(self) -> int | None:
        """Its exit code, once it has ended."""
        code: int | None = self._process.returncode
        return code

    def settle(self) -> None:
        """It has ended: wait a moment for its code and its last words."""
        self._waiter.join(LAST_WORDS)
        self._reader.join(LAST_WORDS)

    def _read(self) -> None:
        for line in self._process.stdout:
            self.lines.put(line.decode(errors="replace").rstrip("\n"))
            self._events.put(self)

    def _wait(self) -> None:
        self._process.wait()
        self._events.put(self)


class Supervisor:
    """Runs in the main thread, as it takes over the signals that mean stop."""

    def __init__(self, console: Console, guardian: Guardian) -> None:
        self._console = console
        self._guardian = guardian
        self._stages: list[list[Child]] = []
        self._stopping = False
        # What happened: a child to look at, or a signal's name. SimpleQueue: a signal handler may put.
        self._events: SimpleQueue[Child | str] = SimpleQueue()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: self._events.put(signal.Signals(number).name))

    def start(self, commands: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, Child]:
        """Start all of them at the same time, as the next stage."""
        stage: list[Child] = []
        self._stages.append(stage)
        for name, command in commands.items():
            child = Child(name, command, environ, self._events)
            self._guardian.watch(child.group)
            stage.append(child)
        return {child.name: child for child in stage}

    def wait_until_ready(self, child: Child, ready: Callable[[], bool], limit: float) -> None:
        """Raises Failed, with its output shown, if it ends or takes longer than `limit` seconds."""
        begun = time.monotonic()
        while not ready():
            waited = time.monotonic() - begun
            if waited > limit:
                self._show(child)
                raise Failed(f"{child.name} did not answer within {limit:g} s.")
            self._console.waiting(child.name, waited)
            self._look(POLL)
        _taken(child.lines)
        child.is_ready = True

    def run(self, name: str, command: str, environ: Mapping[str, str], limit: float) -> None:
        """Run one command to its end. Raises Failed."""
        (child,) = self.start({name: command}, environ).values()
        child.may_end = True
        begun = time.monotonic()
        while child.code is None:
            waited = time.monotonic() - begun
            if waited > limit:
                self._show(child)
                raise Failed(f"{name} did not end within {limit:g} s.")
            self._console.waiting(name, waited)
            self._look(POLL)
        child.settle()
        if child.code != 0:
            self._show(child)
            raise Failed(f"{name} {_how(child.code)}.")
        self._stages.pop()
        self._guardian.forget(child.group)

    def watch(self) -> None:
        """Show what the children say until one ends (Failed) or we are asked to stop (Stopped)."""
        while True:
            self._look(None)

    def stop(self) -> None:
        """End everything, the last stage first. A further Ctrl-C ends it at once."""
        hurry = False
        self._stopping = True

        def pause(seconds: float) -> bool:
            nonlocal hurry
            try:
                self._look(seconds)
            except Stopped:
                hurry = True
            return not hurry

        while self._stages:
            stage = self._stages[-1]
            groups = [child.group for child in stage if is_alive(child.group)]
            end_groups(groups, 0 if hurry else PATIENCE, pause)
            for child in stage:
                self._guardian.forget(child.group)
                child.settle()
                if child.code not in ENDED_WELL:
                    self._show(child)
            self._stages.pop()

    def _look(self, timeout: float | None) -> None:
        """Take one event. Raises Stopped, and Failed when a child has ended that may not."""
        try:
            event = self._events.get(timeout=timeout)
        except Empty:
            return
        if isinstance(event, str):
            raise Stopped(event)
        if self._stopping:
            return
        if event.is_ready:
            self._show(event)
        if event.code is not None and not event.may_end:
            event.settle()
            self._show(event)
            raise Failed(f"{event.name} {_how(event.code)}.")

    def _show(self, child: Child) -> None:
        for line in _taken(child.lines):
            self._console.line_of(child.name, line)


def _taken(lines: "SimpleQueue[str]") -> list[str]:
    taken = []
    while not lines.empty():
        taken.append(lines.get())
    return taken


def _how(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended by itself with code {code}"
