"""What a person expects to find tomorrow: conversations and their messages, in SQLite or PostgreSQL.

Start with README.md beside this file; store.py lists all that one can ask.
"""

from conversations.errors import (
    Busy,
    ConversationError,
    InvalidCursor,
    KeyReused,
    NotFound,
    NotShared,
    ShareOver,
    WrongRole,
)
from conversations.records import (
    Author,
    ConversationRecord,
    ConversationSummary,
    Deleted,
    Erased,
    MessageRecord,
    Page,
    Prompt,
    PromptMessage,
    RemarkRecord,
    Role,
    Saved,
    Sent,
    ShareRecord,
    Status,
    StreamRecord,
    Terms,
    Unnamed,
    Visitor,
    tag_of,
)
from conversations.settings import ConversationSettings
from conversations.store import Store, open_store

__all__ = [
    "Author",
    "Busy",
    "ConversationError",
    "ConversationRecord",
    "ConversationSettings",
    "ConversationSummary",
    "Deleted",
    "Erased",
    "InvalidCursor",
    "KeyReused",
    "MessageRecord",
    "NotFound",
    "NotShared",
    "Page",
    "Prompt",
    "PromptMessage",
    "RemarkRecord",
    "Role",
    "Saved",
    "Sent",
    "ShareOver",
    "ShareRecord",
    "Status",
    "Store",
    "StreamRecord",
    "Terms",
    "Unnamed",
    "Visitor",
    "WrongRole",
    "open_store",
    "tag_of",
]
