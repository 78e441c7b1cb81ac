"""What a web process counts, for Prometheus and for whoever looks at one process. telemetry/README.md has the table."""

import time
from http import HTTPMethod, HTTPStatus

from flask import Flask, Response, g, request

from streams import Reaper, Restarts, StreamHub, Subscriber
from telemetry.exposition import Exposition
from telemetry.presence import Report
from telemetry.shared import PREFIX, Shared
from webapp.following import sockets

EXPOSITION = Exposition()
_counter, _gauge = EXPOSITION.counter, EXPOSITION.gauge

SHARED = Shared(EXPOSITION)
REQUESTS = _counter("rejoinder_http_requests", "HTTP requests that were answered.", method=(), route=(), status=())
DURATION = EXPOSITION.histogram(
    "rejoinder_http_request_duration_seconds",
    "From a request to its answer; of what streams, to the beginning of it. WebSockets are left out.",
    ["method", "route"],
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CONNECTIONS = _gauge("rejoinder_connections", "Open WebSockets and event streams.")
VIEWERS = _gauge("rejoinder_viewers", "Streams that are followed over them, each by one viewer.")
TAILS = _gauge("rejoinder_tails", "Streams held in memory, each once for all its viewers.")
SUBSCRIPTIONS = _gauge("rejoinder_subscriptions", "Channels that are listened to in Redis.")
DELIVERIES = _counter("rejoinder_deliveries", "Batches handed to viewers; mostly, each is one frame.")
DELIVERED_BYTES = _counter("rejoinder_delivered_bytes", "Bytes of text in them, before framing and compression.")
ATTACHES = _counter("rejoinder_attaches", "Times that a viewer began to follow a stream.")
RESUMES = _counter("rejoinder_resumes", "Of those, how often some of the text was there already, and was gone on from.")
SAVED_BYTES = _counter("rejoinder_resume_saved_bytes", "Bytes of text that were there already, and not sent again.")
GAPS = _counter("rejoinder_gaps", "Times that notifications were missed, and what they spoke of was read instead.")
GAP_ENTRIES = _counter("rejoinder_gap_entries", "Entries that were read instead.")
LIST_READS = _counter("rejoinder_list_reads", "Pages of streams that were read.")
BLOCKED = _counter("rejoinder_blocked_writes", "Times that a socket took only part of a frame: its reader is slow.")
CUT_OFF = _counter("rejoinder_cut_off", "Clients cut off because they do not read, but make us answer.")
SENDS = _counter(
    "rejoinder_sends", "Questions, and wishes for another answer.", result=("started", "repeated", "busy", "failed")
)
REFUSALS = _counter("rejoinder_socket_refusals", "What pages asked for over their sockets in vain.", reason=())

TOLD = (  # to all other processes, and shown on the operations page
    "attaches",
    "resumes",
    "resume_saved_bytes",
    "delivered_bytes",
    "gaps",
    "gap_entries",
    "blocked_writes",
    "cut_off",
    "socket_refusals",
)
HELD = ("connections", "viewers", "tails", "subscriptions", "resident_memory_bytes")
MOST_STREAMS = 1_000  # of those that are followed here, the ones with the most viewers


def watch(hub: StreamHub, subscriber: Subscriber, reaper: Reaper, restarts: Restarts) -> None:
    """Show what the parts of this process count."""
    counts, reaped = hub.counts, reaper.counts
    EXPOSITION.watch(
        {
            DELIVERIES: lambda: counts.delivered,
            DELIVERED_BYTES: lambda: counts.delivered_bytes,
            ATTACHES: lambda: counts.attached,
            RESUMES: lambda: counts.resumed,
            SAVED_BYTES: lambda: counts.saved_bytes,
            GAPS: lambda: counts.gaps,
            GAP_ENTRIES: lambda: counts.gap_entries,
            LIST_READS: lambda: hub.list_reads,
            BLOCKED: lambda: sockets.counts.blocked,
            CUT_OFF: lambda: sockets.counts.cut_off,
            SHARED.reaper_saves: lambda: reaped.saved,
            SHARED.reaper_failures: lambda: reaped.save_failures,
            **SHARED.counters(
                lambda: subscriber.reconnections, lambda: reaped.leases_lost, lambda: restarts.begun_again
            ),
        },
        {
            CONNECTIONS: sockets.count,
            VIEWERS: lambda: sum(hub.tails.values()),
            TAILS: lambda: len(hub.tails),
            SUBSCRIPTIONS: lambda: subscriber.count,
            **SHARED.gauges(),
        },
    )


def report(hub: StreamHub) -> Report:
    """What this process says of itself to all others: of each stream, how many follow it here."""
    snapshot = EXPOSITION.counted()
    watched = sorted(hub.tails.items(), key=lambda tail: tail[1], reverse=True)[:MOST_STREAMS]
    refused = sum(
        value
        for name, value in snapshot.items()
        if name.startswith(f"{PREFIX}http_requests_total") and f'status="{HTTPStatus.TOO_MANY_REQUESTS}"' in name
    )
    return Report(
        numbers={name: snapshot[PREFIX + name] for name in HELD},
        totals={**SHARED.totals(snapshot, TOLD), "http_limited": int(refused)},
        streams={stream_id: viewers for stream_id, viewers in watched if viewers},
    )


def init_metrics(app: Flask) -> None:
    """Count and time every request."""
    app.before_request(_begin)
    app.after_request(_end)


def refused(status: int) -> None:
    """A page asked for something over its socket, and did not get it."""
    REFUSALS.labels(reason=HTTPStatus(status).phrase.lower().replace(" ", "_")).inc()


def _begin() -> None:
    g.begun = time.perf_counter()


def _end(response: Response) -> Response:
    if request.headers.get("Upgrade", "").lower() == "websocket" and response.status_code < HTTPStatus.BAD_REQUEST:
        return response  # it has ended, after minutes or days
    method = request.method if request.method in HTTPMethod.__members__ else "other"
    route = request.url_rule.rule if request.url_rule else "none"
    REQUESTS.labels(method=method, route=route, status=response.status_code).inc()
    if "begun" in g:
        DURATION.labels(method=method, route=route).observe(time.perf_counter() - g.begun)
    return response
