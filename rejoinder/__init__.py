"""The `rejoinder` command: what somebody at a terminal does with a running Rejoinder.

`doctor` and `streams` are for whoever runs it, and read the environment that its processes read; `follow` and `ask`
need nothing but an address. `commands/` has a module for each, which is imported when it is called.
"""
