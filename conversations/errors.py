"""What can be wrong with a request to the store. Each error carries the facts, for whoever words the answer."""

from datetime import datetime


class ConversationError(Exception):
    """Base of them all: the request was refused, and nothing was changed."""


class NotFound(ConversationError):
    """There is no such thing, or it belongs to someone else. The two look alike on purpose."""

    def __init__(self, kind: str, wanted: str) -> None:
        super().__init__(f"no {kind} {wanted!r}")
        self.kind = kind
        self.wanted = wanted


class Busy(ConversationError):
    """The conversation is being answered already; `stream_id` names the stream to follow instead."""

    def __init__(self, stream_id: str) -> None:
        super().__init__(f"stream {stream_id} is being generated in this conversation")
        self.stream_id = stream_id


class KeyReused(ConversationError):
    """This idempotency key belongs to another request: one key, one send."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the idempotency key {key!r} was used for another request")
        self.key = key


class WrongRole(ConversationError):
    """Only answers can be regenerated, and only questions can be edited."""

    def __init__(self, message_id: str, role: str, wanted: str) -> None:
        super().__init__(f"message {message_id} is of role {role!r}; this needs one of role {wanted!r}")
        self.message_id = message_id
        self.role = role
        self.wanted = wanted


class ShareOver(ConversationError):
    """The link was revoked, or its time is over."""

    def __init__(self, share_id: str) -> None:
        super().__init__("this share is over")  # the id opens nothing any more, but it is nobody else's business
        self.share_id = share_id


class NotShared(ConversationError):
    """The link is good, but not for this."""

    def __init__(self, what: str) -> None:
        super().__init__(f"this share is not for {what}")
        self.what = what


class DiscussionFull(ConversationError):
    """It has seen as many changes as one discussion may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"a discussion has at most {most} changes")
        self.most = most


class NothingToContinue(ConversationError):
    """The answer has no text to go on from."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"message {message_id} has no text to go on from")
        self.message_id = message_id


class TooManyRunning(ConversationError):
    """As many answers of this person are queued or being written as there may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} answers are being written for this person")
        self.most = most


class OutOfTokens(ConversationError):
    """The tokens of today are used up: this person's, if it says how many those are, else those of all together."""

    def __init__(self, returns: datetime, limit: int | None = None, spent: int | None = None) -> None:
        super().__init__(f"no tokens are left until {returns}")
        self.returns = returns
        self.limit = limit
        self.spent = spent


class ConversationTooLong(ConversationError):
    """It has more characters than may be sent to a model."""

    def __init__(self, length: int, most: int) -> None:
        super().__init__(f"a conversation of {length} characters; {most} may be sent")
        self.length = length
        self.most = most


class InvalidCursor(ConversationError, ValueError):
    """`before` is not a `next` that a page gave."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"{cursor!r} is no place in the list; take `next` from the page before")
        self.cursor = cursor
