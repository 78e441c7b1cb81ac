"""The command itself: it is found from anywhere, and is quick."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.command import PROJECT, clean, rejoinder

SCRIPT = PROJECT / "bin" / "rejoinder"
HEAVY = {"openai", "sqlalchemy", "redis", "flask", "gevent"}


def test_help_names_every_subcommand_and_imports_nothing_heavy() -> None:
    program = "import sys; from rejoinder.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    *told, modules = shown.stdout.splitlines()
    assert HEAVY.isdisjoint(modules.split())
    for module in (PROJECT / "rejoinder" / "commands").glob("[a-z]*.py"):
        assert any(line.startswith(f"  {module.stem} ") for line in told), module.stem


def test_what_is_no_subcommand_is_a_usage_error() -> None:
    ended = rejoinder("dance")
    assert ended.returncode == 2
    assert b"No such command 'dance'" in ended.stderr


def test_the_script_works_from_any_folder_and_by_symbolic_links(tmp_path: Path) -> None:
    (tmp_path / "a link").symlink_to(SCRIPT)
    (tmp_path / "another").symlink_to("a link")
    for command in (tmp_path / "another", Path(os.path.relpath(SCRIPT, tmp_path))):
        shown = subprocess.run([command, "--help"], cwd=tmp_path, env=clean({}), capture_output=True, check=True)
        assert b"Usage: rejoinder " in shown.stdout


def test_a_dyno_has_it_on_its_path() -> None:
    """Heroku sources .profile, with the project as the home of the process; the packages are in its Python."""
    environment = {"HOME": str(PROJECT), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    command = ["sh", "-c", ". ./.profile && exec rejoinder --help"]
    shown = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=True)
    assert b"Usage: rejoinder " in shown.stdout


def test_the_settings_of_both_processes_are_read_without_a_monkey_patch() -> None:
    program = (
        "import rejoinder.commands.doctor, rejoinder.commands.streams, gevent.monkey as m; "
        "print(m.is_module_patched('socket'))"
    )
    shown = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"
