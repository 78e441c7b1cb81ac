"""The resumable stream: an append-only list in Redis that is written once and followed by anyone, from anywhere.

Start with README.md beside this file. Standard library and redis only.
"""
