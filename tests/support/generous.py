"""Limits under which one machine may be as many people, in as short a time, as a test needs. Everything is counted."""

LEASE = "30"  # seconds, of the processes that a test starts: so that a busy machine is not taken for a dead worker
RATE = "1000000/second"
GENEROUS = {
    "SENDS_PER_IDENTITY": RATE,
    "SENDS_PER_ADDRESS": RATE,
    "FOLLOWS_PER_IDENTITY": RATE,
    "FOLLOWS_PER_ADDRESS": RATE,
    "SHARE_OPENS_PER_IDENTITY": RATE,
    "SHARE_OPENS_PER_ADDRESS": RATE,
    "SHARE_GUESSES": RATE,
    "NEW_IDENTITIES_PER_ADDRESS": RATE,
    "REMARKS_PER_IDENTITY": RATE,
    "REMARKS_PER_ADDRESS": RATE,
    "CONNECTIONS_PER_IDENTITY": "1000000",
    "CONNECTIONS_PER_ADDRESS": "1000000",
    "FRAMES_PER_SECOND": "1000000",
    "RUNNING_PER_IDENTITY": "1000000",
    "MAX_CONVERSATION": "1000000000",
}
