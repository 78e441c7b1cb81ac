"""Every Redis key and channel of streams and of what is told beside them, and nothing else that could be one.

The part in braces is a Redis Cluster hash tag: all that belongs to one stream lives in one slot.
"""

import hashlib

PREFIX = "rejoinder"

UNSETTLED = f"{PREFIX}:{{unsettled}}"
"""Sorted set: streams that someone must still look after, by when (ms). See lease.py."""

LOOKED = f"{PREFIX}:{{unsettled}}:looked"
"""String: when someone last looked at them (ms)."""

CONTROL = f"{PREFIX}:control"
"""Channel: the ids of streams whose writer should stop."""


def chunks(stream_id: str) -> str:
    """List: one entry per index."""
    return f"{PREFIX}:{{{stream_id}}}:chunks"


def state(stream_id: str) -> str:
    """Hash: epoch, fence, lease, taken, again, cancel, ended; for whoever looks on announced, opened, seen, grown."""
    return f"{PREFIX}:{{{stream_id}}}:state"


def news(stream_id: str) -> str:
    """Channel: notifications of new chunks."""
    return f"{PREFIX}:{{{stream_id}}}:news"


def conversation(conversation_id: str) -> str:
    """Channel: hints of what happened in a conversation. A decimal number is its newest version."""
    return f"{PREFIX}:{{{conversation_id}}}:conversation"


def listing(owner: str) -> str:
    """Channel: ids of conversations that have changed in an owner's list. The owner's own id stays out of Redis."""
    return f"{PREFIX}:{{{hashlib.sha256(owner.encode()).hexdigest()[:16]}}}:list"


def audience(conversation_id: str) -> str:
    """Hash: how many watch a conversation through shares, by web process, and until when that counts."""
    return f"{PREFIX}:{{{conversation_id}}}:audience"


def offer(queue: str) -> str:
    """String: which models the workers of a queue can ask, as JSON. See offer.py."""
    return f"{PREFIX}:{{{queue}}}:offer"
