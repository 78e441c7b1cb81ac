"""The command itself: which subcommands there are. None is imported before it is called, so `--help` is quick."""

import importlib

import click

SUMMARIES = {
    "doctor": "Check settings, Redis, the database, the model and the workers; say what to mend.",
    "streams": "List the answers that are being written; show or stop one.",
    "follow": "Watch an answer in the terminal as it is written, whatever happens to the connection.",
    "ask": "Ask a question, and follow its answer.",
}


class Lazy(click.Group):
    """A group whose subcommands lie in `rejoinder.commands`, each in a module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's)
        if cmd_name not in SUMMARIES:
            return None
        module = importlib.import_module(f"rejoinder.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's)
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Look after a Rejoinder, or use one, from the terminal.

    `rejoinder COMMAND --help` tells more of each.
    """
