"""The shape of a conversation: which messages are on a path, beside each other, or newest below one.

Rule: no database here. A tree is built from nodes and answers questions, so every shape can be tested as a list.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Node(NamedTuple):
    """A message without its text. `since` grows with every send, so of two siblings the larger is the newer."""

    id: str
    parent_id: str | None
    since: int


class Tree:
    """All messages of one conversation."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._children: defaultdict[str | None, list[Node]] = defaultdict(list)
        for node in sorted(self._nodes.values(), key=lambda node: node.since):
            self._children[node.parent_id].append(node)

    def path_to(self, leaf_id: str | None) -> list[str]:
        """From the first question down to `leaf_id`; empty for None."""
        return list(self._upwards(leaf_id))[::-1]

    def versions(self, message_id: str) -> tuple[str, ...]:
        """The messages in this one's place, itself included, oldest first."""
        return tuple(node.id for node in self._children.get(self._nodes[message_id].parent_id, ()))

    def newest_leaf(self, message_id: str) -> str:
        """Where the talk last went on below this message; the message itself if it went nowhere."""
        below = [self._nodes[message_id]]
        leaves = []
        while below:  # not recursive: a conversation may be deeper than Python's stack
            node = below.pop()
            children = self._children.get(node.id)
            if children:
                below.extend(children)
            else:
                leaves.append(node)
        return max(leaves, key=lambda node: node.since).id

    def _upwards(self, message_id: str | None) -> Iterator[str]:
        while message_id is not None:
            yield message_id
            message_id = self._nodes[message_id].parent_id
