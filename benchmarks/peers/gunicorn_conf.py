"""How gunicorn runs the peers that are Flask: as it runs our own web process, in what costs anything."""

import os

bind = f"127.0.0.1:{os.environ['PORT']}"
worker_class = "gevent"
worker_connections = 10_000  # the usual 1,000 would be the limit of what is measured
timeout = 120  # seconds; a busy machine is not a dead worker
graceful_timeout = 1  # seconds: nobody waits for the open sockets of a benchmark that has ended
control_socket_disable = True  # it would open one under the home directory
loglevel = "warning"
