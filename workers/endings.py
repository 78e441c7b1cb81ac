"""How generations end, in words for the person who chats."""

from streams import End, Outcome

CANCELLED = End(Outcome.CANCELLED)
STOPPED_BY_OPERATOR = End(Outcome.CANCELLED, "The operator of this server stopped the answer.")
DELETED = End(Outcome.CANCELLED, "The conversation was deleted.")
SETTLED = End(Outcome.CANCELLED, "This answer was settled before.")
SHUT_DOWN = End(Outcome.INTERRUPTED, "The server was restarted while it wrote this answer.")
OUT_OF_TIME = End(Outcome.FAILED, "The answer took longer than it may.")
UNREADABLE = End(Outcome.FAILED, "The conversation could not be read from the database. Try again in a while.")
BROKEN = End(Outcome.FAILED, "Something went wrong in this server. Its operator finds the details in the log.")
FENCED = End(Outcome.INTERRUPTED, "Another worker took over.")  # never written: the stream refuses it

CUT_AT_LIMIT = "The answer is cut off here: it reached the model's limit."
FILTERED = "The model's provider withheld the rest of this answer (content filter)."
MODEL_ERROR = "The model stopped with an error."


def finished(reason: str) -> End:
    """The end for a model's finish_reason."""
    match reason:
        case "length":
            return End(Outcome.FINISHED, CUT_AT_LIMIT)
        case "content_filter":
            return End(Outcome.FAILED, FILTERED)
        case "error":  # OpenRouter's way of saying that the model behind it failed
            return End(Outcome.FAILED, MODEL_ERROR)
    return End(Outcome.FINISHED)


def too_long(limit: int) -> End:
    """The answer outgrew what a stream holds."""
    size = f"{limit / 2**20:g} MiB" if limit >= 2**20 else f"{limit:,} bytes"
    return End(Outcome.FAILED, f"The answer is cut off here: it reached this server's limit of {size}.")
