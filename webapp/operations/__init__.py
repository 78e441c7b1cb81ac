"""What whoever runs it looks at: streams in flight, the queue, all processes, and how it was in the last hours.

Start with overview.py. Everything is read from what Redis and the database hold anyway, and from what every process
says of itself (telemetry/presence.py); nothing here is on the way of an answer.
"""
