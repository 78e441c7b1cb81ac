"""The subcommands, a module for each; `command` in it is what the command line calls."""
