"""What the views stand on, made once per process and passed in."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Concatenate, ParamSpec

from redis import Redis, RedisError
from rq import Queue
from sqlalchemy.exc import SQLAlchemyError

from conversations import Store
from jobs import Handover, open_queue, queue_again
from streams import (
    Client,
    Reaper,
    Restarts,
    StreamControl,
    StreamHub,
    StreamSettings,
    Subscriber,
    announce_change,
    announce_version,
    connect,
    connect_streams,
)
from telemetry.history import Sampler
from telemetry.presence import Presence
from webapp import metrics
from webapp.defence.limits import Limits
from webapp.door import Door
from webapp.following.audience import Audience
from webapp.following.lists import Lists
from webapp.following.rooms import Rooms
from webapp.following.waiting import Waiting
from webapp.operations.measuring import measure
from webapp.patience import patiently
from webapp.settings import Settings
from webapp.settle import Announce, Settler

log = logging.getLogger(__name__)

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that one web process shares between its requests."""

    settings: Settings
    store: Store
    door: Door
    redis: Redis
    """What RQ's queue is in."""
    stream_redis: Client
    """What streams are in: the same, or a cluster."""
    queue: Queue
    control: StreamControl
    subscriber: Subscriber
    hub: StreamHub
    waiting: Waiting
    hand_over: Handover
    settler: Settler
    restarts: Restarts
    reaper: Reaper
    rooms: Rooms
    lists: Lists
    limits: Limits
    announce: Announce
    announce_change: Callable[[str], None]
    presence: Presence
    sampler: Sampler
    closing: threading.Event

    def start(self) -> None:
        """Begin what runs in the background: listening for viewers, looking after dead streams and the queue."""
        self.subscriber.start()
        self.hub.start()
        self.rooms.start()
        self.reaper.start()
        threading.Thread(target=self.settler.sweep_forever, args=(self.closing,), name="sweep", daemon=True).start()
        threading.Thread(target=self.waiting.look_forever, args=(self.closing,), name="waiting", daemon=True).start()
        threading.Thread(target=self.limits.report_forever, args=(self.closing,), name="limits", daemon=True).start()
        says = (self.closing, self.sampler.look)
        threading.Thread(target=self.presence.say_forever, args=says, name="presence", daemon=True).start()

    def close(self) -> None:
        """Stop it, and let go of every connection."""
        self.closing.set()
        self.limits.leave()
        self.presence.leave()
        self.reaper.close()
        self.rooms.close()
        self.hub.close()
        self.subscriber.close()
        self.stream_redis.close()
        self.redis.close()
        self.store.close()


def open_services(settings: Settings, store: Store, streams: StreamSettings) -> Services:
    """Make everything; it connects when it is used, and nothing runs before `start`. The store becomes its own.

    Raises RedisError where streams are in a cluster of which no server answers.
    """
    redis = connect(settings.redis_url)
    stream_redis = redis if settings.streams_url == settings.redis_url else connect_streams(settings.streams_url)
    queue = open_queue(redis, settings.rq_queue)
    control = StreamControl(stream_redis, streams)
    subscriber = Subscriber(stream_redis)
    announce = _telling(announce_version, stream_redis)
    hand_over = Handover(control, queue, settings.generation_timeout)
    settler = Settler(store, control, redis, announce, hand_over)
    restarts = Restarts(stream_redis, streams, partial(queue_again, redis))
    hub = StreamHub(stream_redis, subscriber)
    return Services(
        settings=settings,
        store=store,
        door=Door(store),
        redis=redis,
        stream_redis=stream_redis,
        queue=queue,
        control=control,
        subscriber=subscriber,
        hub=hub,
        waiting=Waiting(redis, queue, hub),
        hand_over=hand_over,
        settler=settler,
        restarts=restarts,
        reaper=Reaper(stream_redis, streams, settler.save, restarts, expected=(SQLAlchemyError,)),
        rooms=Rooms(store, subscriber, Audience(stream_redis)),
        lists=Lists(subscriber),
        limits=Limits(settings, redis),
        announce=announce,
        announce_change=_telling(announce_change, stream_redis),
        presence=Presence(redis, "web", partial(metrics.report, hub)),
        sampler=Sampler(redis, partial(measure, redis, queue)),
        closing=threading.Event(),
    )


def _telling(tell: Callable[Concatenate[Client, str, P], None], redis: Client) -> Callable[Concatenate[str, P], None]:
    """Tell who watches. Only a hint: one that is lost is made up for by the next reading of the database."""

    def told(conversation_id: str, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            patiently(partial(tell, redis, conversation_id, *args, **kwargs))
        except RedisError as error:
            log.warning("news of a conversation was lost: %s", error, extra={"conversation_id": conversation_id})

    return told
