"""An HTTP server that answers in the background."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

from tests.support.waiting import POLL_INTERVAL


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """It answers for the length of the block, and is closed then."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_INTERVAL,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
