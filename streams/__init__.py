"""The resumable stream: an append-only list in Redis that is written once and followed by anyone, from anywhere.

Start with README.md beside this file. Standard library and redis only; greenlets.py is for processes on gevent.
"""

from streams.chunk import End, Joined, Kind, Outcome, Position, is_end
from streams.connection import REPLY_TIMEOUT, Client, connect, connect_streams
from streams.control import StreamControl, announce_change, announce_version
from streams.errors import AnswerTooLong, Fenced, StreamBegun, StreamEnded, StreamError, StreamNotFound
from streams.flusher import StreamWriters
from streams.hub import StreamHub
from streams.inspection import (
    Contents,
    Sight,
    count_unsettled,
    look_at,
    look_at_all,
    look_into,
    try_to_look_at,
    unsettled,
)
from streams.lease import PRODUCER_DIED, Reaper
from streams.offer import Offer, keep_offer, publish_offer, read_offer
from streams.reader import Progress, Recording
from streams.restarts import Restarts
from streams.settings import StreamSettings
from streams.shards import ping
from streams.subscriber import Subscriber
from streams.tail import Ahead, Batch, Cursor, Event, Gone, Serving, Viewer
from streams.writer import StopReason, StreamWriter

__all__ = [
    "PRODUCER_DIED",
    "REPLY_TIMEOUT",
    "Ahead",
    "AnswerTooLong",
    "Batch",
    "Client",
    "Contents",
    "Cursor",
    "End",
    "Event",
    "Fenced",
    "Gone",
    "Joined",
    "Kind",
    "Offer",
    "Outcome",
    "Position",
    "Progress",
    "Reaper",
    "Recording",
    "Restarts",
    "Serving",
    "Sight",
    "StopReason",
    "StreamBegun",
    "StreamControl",
    "StreamEnded",
    "StreamError",
    "StreamHub",
    "StreamNotFound",
    "StreamSettings",
    "StreamWriter",
    "StreamWriters",
    "Subscriber",
    "Viewer",
    "announce_change",
    "announce_version",
    "connect",
    "connect_streams",
    "count_unsettled",
    "is_end",
    "keep_offer",
    "look_at",
    "look_at_all",
    "look_into",
    "ping",
    "publish_offer",
    "read_offer",
    "try_to_look_at",
    "unsettled",
]
