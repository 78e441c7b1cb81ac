"""What a person expects to find tomorrow: conversations and their messages, in SQLite or PostgreSQL.

Start with README.md beside this file; store.py lists all that one can ask.
"""

from conversations.errors import Busy, ConversationError, InvalidCursor, KeyReused, NotFound, WrongRole
from conversations.records import (
    ConversationRecord,
    ConversationSummary,
    MessageRecord,
    Page,
    Prompt,
    PromptMessage,
    Role,
    Saved,
    Sent,
    Status,
    StreamRecord,
    Unnamed,
)
from conversations.settings import ConversationSettings
from conversations.store import Store, open_store

__all__ = [
    "Busy",
    "ConversationError",
    "ConversationRecord",
    "ConversationSettings",
    "ConversationSummary",
    "InvalidCursor",
    "KeyReused",
    "MessageRecord",
    "NotFound",
    "Page",
    "Prompt",
    "PromptMessage",
    "Role",
    "Saved",
    "Sent",
    "Status",
    "Store",
    "StreamRecord",
    "Unnamed",
    "WrongRole",
    "open_store",
]
