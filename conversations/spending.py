"""What one person has running, and has spent of their model tokens today (UTC); and how much of it there may be.

It is kept in the database and not in Redis, for Redis may forget. It is counted in the transaction that ends an answer:
that is done once, whoever does it and however often it is tried, so an answer is paid for once. What is allowed is
looked at in the transaction that begins one. An answer that runs may finish, whatever it costs.

Rule: a person's row of the day is locked after the conversation's, and nothing after it but the row of a later day, or
of who gets what they have spent. So no two wait for each other; and whoever removes what is old waits for nobody.
"""

import math
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import bindparam, delete, func, select, text, tuple_
from sqlalchemy.orm import Session

from conversations import history
from conversations.allowance import Allowance
from conversations.errors import ConversationTooLong, OutOfTokens, TooManyRunning
from conversations.models import Conversation, Message, Send, Spent
from conversations.records import IN_FLIGHT, Status
from conversations.rows import message_of_stream
from conversations.text import storable

BYTES_PER_TOKEN = 4  # of UTF-8; about right for English, and a little less for scripts that take more bytes a letter
MOST_TOKENS = 10**9  # of one answer; a server that reports more is wrong
KEPT = timedelta(days=31)
NOBODY = ""  # whose is what people have spent who are gone

# Adds, and locks the row until the transaction ends, also where it adds nothing. Returns what there is now.
ADD = text(
    "INSERT INTO spent (day, person, tokens) VALUES (:day, :person, :tokens)"
    " ON CONFLICT (day, person) DO UPDATE SET tokens = spent.tokens + excluded.tokens RETURNING tokens"
)
RUNNING = (
    select(func.count())
    .select_from(Send)
    .join(Message, Message.id == Send.answer_id)
    .where(Send.owner == bindparam("person"), Send.owed, Message.status.in_(IN_FLIGHT))
)
LENGTH = select(func.sum(func.length(Message.content))).where(Message.id.in_(bindparam("ids", expanding=True)))


def check(session: Session, allowance: Allowance, person: str, moment: datetime) -> None:
    """Whether this person may have one more answer. Raises TooManyRunning, OutOfTokens."""
    if allowance.running is None and allowance.tokens is None and allowance.tokens_of_all is None:
        return
    today = _day(moment)
    spent = _add(session, today, person, 0)  # from here on the same person's other sends wait for this one
    if allowance.running is not None and (session.scalar(RUNNING, {"person": person}) or 0) >= allowance.running:
        raise TooManyRunning(allowance.running)
    if allowance.tokens is not None and spent >= allowance.tokens:
        raise OutOfTokens(_tomorrow(moment), allowance.tokens, spent)
    if allowance.tokens_of_all is not None and of_all(session, moment) >= allowance.tokens_of_all:
        raise OutOfTokens(_tomorrow(moment))


def check_length(session: Session, allowance: Allowance, conversation: Conversation, path: list[str]) -> None:
    """Whether the messages of this path may be sent to a model. Raises ConversationTooLong."""
    if allowance.conversation is None:
        return
    length = (session.scalar(LENGTH, {"ids": path}) or 0) + len(conversation.system_prompt)
    if length > allowance.conversation:
        raise ConversationTooLong(length, allowance.conversation)


def pay(
    session: Session,
    conversation: Conversation,
    answer: Message,
    moment: datetime,
    usage: dict[str, int] | None,
    *,
    was_begun: bool,
) -> None:
    """Count what an answer cost that has just ended, to whoever asked for it. For the one who ends it.

    One that no worker had begun cost nothing.
    """
    made = session.get(Send, answer.id)
    if made is None:
        return
    made.owed = False
    if not was_begun:
        return
    if tokens := _reported(usage) if usage else estimated(session, conversation, answer):
        _add(session, _day(moment), made.owner, tokens)


def estimated(session: Session, conversation: Conversation, answer: Message) -> int:
    """Where the model reported nothing, as when it was stopped: by the bytes of what it was sent and what it said."""
    if answer.status is Status.FAILED and not answer.content and not answer.reasoning:
        return 0  # it refused, or could not be reached
    sent = sum(_size(each["content"]) for each in history.prompt_of(session, conversation, answer).messages)
    return math.ceil((sent + _size(answer.content) + _size(answer.reasoning)) / BYTES_PER_TOKEN)


def of(session: Session, person: str, moment: datetime) -> int:
    """What a person has spent on the day of this moment."""
    return session.scalar(select(Spent.tokens).where(Spent.day == _day(moment), Spent.person == person)) or 0


def of_all(session: Session, moment: datetime) -> int:
    """What all together have."""
    return session.scalar(select(func.sum(Spent.tokens)).where(Spent.day == _day(moment))) or 0


def write_off(session: Session, conversation: Conversation, moment: datetime) -> None:
    """A conversation goes for good while an answer is being written in it: what that has cost so far is nobody's."""
    answer = message_of_stream(session, conversation.generating) if conversation.generating else None
    if answer is not None and answer.status is Status.RUNNING:
        _add(session, _day(moment), NOBODY, estimated(session, conversation, answer))


def hand_over(session: Session, person: str, to: str) -> None:
    """What one has spent, another has: the account of a browser, or nobody, where a person is gone."""
    theirs = session.execute(
        select(Spent.day, Spent.tokens).where(Spent.person == person).order_by(Spent.day).with_for_update()
    ).all()
    session.execute(delete(Spent).where(Spent.person == person))
    for day, tokens in theirs:
        _add(session, day, to, tokens)


def forget(session: Session, moment: datetime) -> None:
    """What was spent so long ago interests nobody. What somebody holds just now is left for the next time."""
    old = select(Spent.day, Spent.person).where(Spent.day < _day(moment - KEPT)).with_for_update(skip_locked=True)
    session.execute(delete(Spent).where(tuple_(Spent.day, Spent.person).in_(old)))


def _add(session: Session, day: str, person: str, tokens: int) -> int:
    session.flush()  # what else was changed comes first: the conversation's lock
    return int(session.execute(ADD, {"day": day, "person": person, "tokens": tokens}).scalar_one())


def _reported(usage: dict[str, int]) -> int:
    total = usage.get("total_tokens") or usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
    return max(0, min(total, MOST_TOKENS))


def _size(content: str) -> int:
    return len(storable(content).encode())


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _tomorrow(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
