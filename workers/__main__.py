"""`python -m workers`: one worker process, from its settings to its last job."""

# Before anything else is imported: what was imported unpatched would block all generations at once.
from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from collections.abc import Collection  # noqa: E402
from contextlib import ExitStack, closing  # noqa: E402
from functools import partial  # noqa: E402

import gevent  # noqa: E402
import redis  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

import streams  # noqa: E402
from conversations import ConversationSettings  # noqa: E402
from conversations.greenlets import open_greenlet_store  # noqa: E402
from jobs import GENERATE, queue_again, stream_of_job  # noqa: E402
from streams.greenlets import poll_at_once  # noqa: E402
from telemetry.errors import ErrorSettings, init_errors  # noqa: E402
from telemetry.logs import init_logs  # noqa: E402
from telemetry.presence import Presence  # noqa: E402
from telemetry.settings import LogSettings, TraceSettings  # noqa: E402
from telemetry.traces import TracesMissing, init_traces  # noqa: E402
from workers import jobs, metrics  # noqa: E402
from workers.backoff import Backoff, Retry  # noqa: E402
from workers.checkpoints import Checkpoints  # noqa: E402
from workers.generation import Tools  # noqa: E402
from workers.generations import Generations, NoAnswer  # noqa: E402
from workers.limits import TimeLimits  # noqa: E402
from workers.offering import Offering  # noqa: E402
from workers.providers.openai_chat import OpenAIChat  # noqa: E402
from workers.saving import Saver  # noqa: E402
from workers.scrape import PortTaken, serve_metrics  # noqa: E402
from workers.settings import NO_TITLES, Settings, SettingsError, load_settings  # noqa: E402
from workers.titles import TIME_LIMIT, Titles  # noqa: E402
from workers.worker import GreenletWorker  # noqa: E402

log = logging.getLogger("workers")

FUNCTIONS = frozenset({GENERATE})  # nothing else in a queue is run
START_PATIENCE = 60.0  # seconds for Redis and the database to be there; after that a process manager has to decide
SHARED_CONNECTIONS = 3  # the reaper has one, seldom two; what begins and ends generations shares the rest
WRITING_CONNECTIONS = 3  # the flusher, the heartbeat, and whoever opens a stream
RQ_CONNECTIONS = 6  # one waits for jobs, one for commands, and the bookkeeping of all jobs shares the rest
BEGINS_WITHIN = 30.0  # seconds from taking a job to opening its stream, which takes milliseconds; else we are dead
RQ_TURN = 60.0  # seconds that a job waits for one of them
SPARE_CONNECTIONS = 10  # to the model, beside one for each generation: a stopped one may still be closing


def main(functions: Collection[str] = FUNCTIONS) -> int:
    """Work until told to leave. These are the functions that jobs may name."""
    try:
        settings = load_settings()
        logs, errors = LogSettings.from_env(os.environ), ErrorSettings.from_env(os.environ)
        init_traces(TraceSettings.from_env(os.environ), "worker")
        stream_settings = streams.StreamSettings.from_env(os.environ)
        database = ConversationSettings.from_env(os.environ)
    except (SettingsError, TracesMissing, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    init_logs(logs)
    init_errors(errors, "worker")
    if settings.metrics_port is not None:
        token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
        try:
            serve_metrics(settings.metrics_port, token)
        except PortTaken as error:
            print(f"The worker cannot start:\n  {error}", file=sys.stderr)
            return 2
    poll_at_once()
    retry = Retry(Backoff(), time.monotonic, gevent.sleep)
    with ExitStack() as stack:
        connect = partial(retry, "reach Redis", error=redis.RedisError, patience=START_PATIENCE)
        client = connect(partial(streams.connect_streams, settings.streams_url, max_connections=SHARED_CONNECTIONS))
        stack.enter_context(closing(client))
        # One silent connection must not use up a lease: who writes waits for no reply longer than for a heartbeat.
        patience = min(streams.REPLY_TIMEOUT, stream_settings.heartbeat)
        writing = streams.connect_streams(
            settings.streams_url, max_connections=WRITING_CONNECTIONS, reply_timeout=patience
        )
        stack.enter_context(closing(writing))
        rq_client = stack.enter_context(closing(_connect_rq(settings)))
        queueing = client  # usually RQ's Redis is the same
        if settings.streams_url != settings.redis_url:
            queueing = stack.enter_context(closing(streams.connect(settings.redis_url, max_connections=1)))
        assert isinstance(queueing, redis.Redis), "a cluster is none for RQ, and refused by its setting"
        store = stack.enter_context(closing(open_greenlet_store(database)))
        source = stack.enter_context(closing(_open_source(settings)))
        connect(rq_client.ping)
        connect(partial(streams.ping, client))
        retry("reach the database", store.ping, error=SQLAlchemyError, patience=START_PATIENCE)
        log.info("the model's server", extra={"url": source.warm_up()})
        offering = Offering(source, client, settings.rq_queue, settings.default_model, settings.openai_models or ())
        gevent.spawn(offering.say_forever, gevent.sleep)

        saver = Saver(store, client)
        writers = streams.StreamWriters(writing, stream_settings)
        writers.start()
        stack.callback(writers.close)
        restarts = streams.Restarts(client, stream_settings, partial(queue_again, queueing))
        reaper = streams.Reaper(client, stream_settings, saver.save_recording, restarts, expected=(SQLAlchemyError,))
        reaper.start()
        stack.callback(reaper.close)
        metrics.watch(writers, reaper, restarts, settings.worker_concurrency)
        presence = Presence(queueing, "worker", metrics.Reporter(writers))
        stack.callback(presence.leave)
        left = threading.Event()
        stack.callback(left.set)
        gevent.spawn(presence.say_forever, left)
        checkpoints = Checkpoints(store, settings.checkpoint_interval)
        gevent.spawn(checkpoints.take_forever, gevent.sleep)
        tools = Tools(
            store=store,
            saver=saver,
            writers=writers,
            control=streams.StreamControl(client, stream_settings),
            restarts=restarts,
            source=source,
            retry=retry,
            clock=time.monotonic,
            limits=TimeLimits(settings.first_token_timeout, settings.silence_timeout, settings.generation_timeout),
            checkpoints=checkpoints,
            save_patience=settings.save_patience,
            continue_with=settings.continue_with,
        )
        jobs.generations = Generations(tools, _titles(settings, tools))
        worker = GreenletWorker(
            settings.rq_queue,
            rq_client,
            concurrency=settings.worker_concurrency,
            shutdown_grace=settings.shutdown_grace,
            functions=functions,
            expected=(NoAnswer,),
            waited=metrics.QUEUE_WAIT.observe,
            taken=lambda job_id: tools.control.mark_taken(stream_of_job(job_id), BEGINS_WITHIN),
        )
        log.info("serving", extra={"queue": settings.rq_queue, "concurrency": settings.worker_concurrency})
        worker.work()
    log.info("left")
    return 0


def _titles(settings: Settings, tools: Tools) -> Titles | None:
    if settings.title_model == NO_TITLES:
        return None
    time_limit = min(TIME_LIMIT, settings.first_token_timeout)
    return Titles(tools.store, tools.saver, tools.source, settings.title_model, time_limit)


def _connect_rq(settings: Settings) -> "redis.Redis":
    client = streams.connect(settings.redis_url, max_connections=RQ_CONNECTIONS)
    # When many jobs begin at once, one whose turn comes late must not be lost to RQ.
    client.connection_pool.timeout = RQ_TURN  # type: ignore[attr-defined]
    return client


def _open_source(settings: Settings) -> OpenAIChat:
    return OpenAIChat(
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key.get_secret_value() if settings.openai_api_key else None,
        default_model=settings.default_model,
        connections=settings.worker_concurrency + SPARE_CONNECTIONS,
        connect_timeout=settings.connect_timeout,
        attempts=settings.model_attempts,
        patience=settings.first_token_timeout,
        backoff=Backoff(),
        sleep=gevent.sleep,
        give_way=gevent.sleep,
    )


if __name__ == "__main__":
    sys.exit(main())
