"""What the views stand on, made once per process and passed in."""

import logging
import threading
from dataclasses import dataclass

from redis import Redis, RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from conversations import Store
from streams import Reaper, StreamControl, StreamHub, StreamSettings, Subscriber, announce_version, connect
from webapp.settings import Settings
from webapp.settle import Announce, Settler
from webapp.waiting import Waiting

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that one web process shares between its requests."""

    settings: Settings
    store: Store
    redis: Redis
    queue: Queue
    control: StreamControl
    subscriber: Subscriber
    hub: StreamHub
    waiting: Waiting
    settler: Settler
    reaper: Reaper
    announce: Announce
    closing: threading.Event

    def start(self) -> None:
        """Begin what runs in the background: listening for viewers, looking after dead streams and the queue."""
        self.subscriber.start()
        self.hub.start()
        self.reaper.start()
        threading.Thread(target=self.settler.sweep_forever, args=(self.closing,), name="sweep", daemon=True).start()
        threading.Thread(target=self.waiting.look_forever, args=(self.closing,), name="waiting", daemon=True).start()

    def close(self) -> None:
        """Stop it, and let go of every connection."""
        self.closing.set()
        self.reaper.close()
        self.hub.close()
        self.subscriber.close()
        self.redis.close()
        self.store.close()


def open_services(settings: Settings, store: Store, streams: StreamSettings) -> Services:
    """Make everything; it connects when it is used, and nothing runs before `start`. The store becomes its own."""
    redis = connect(settings.redis_url)
    queue = Queue(settings.rq_queue, connection=redis, serializer=JSONSerializer)
    control = StreamControl(redis, streams)
    subscriber = Subscriber(redis)
    announce = _announcer(redis)
    settler = Settler(store, control, redis, announce)
    hub = StreamHub(redis, subscriber)
    return Services(
        settings=settings,
        store=store,
        redis=redis,
        queue=queue,
        control=control,
        subscriber=subscriber,
        hub=hub,
        waiting=Waiting(redis, queue, hub),
        settler=settler,
        reaper=Reaper(redis, streams, settler.save),
        announce=announce,
        closing=threading.Event(),
    )


def _announcer(redis: Redis) -> Announce:
    def announce(conversation_id: str, version: int) -> None:
        """Tell who watches. Only a hint: one that is lost is made up for by the next reading of the database."""
        try:
            announce_version(redis, conversation_id, version)
        except RedisError as error:
            log.warning("news of a conversation was lost: %s", error, extra={"conversation_id": conversation_id})

    return announce
