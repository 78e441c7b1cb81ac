"""What happens to clients and their connections."""

from collections import deque

from faults.catalogue import fault
from faults.run import Run
from faults.viewer import Way
from faults.wire import Trouble

NOTHING = "nothing: a client's network is no fault of the server's"


@fault(
    "connections are reset at every byte of an answer",
    viewer="the text goes on where it stood",
    operator=NOTHING,
)
def reset_at_every_byte(run: Run) -> None:
    """Every viewer is cut off at a byte of its own: in the handshake, in a frame, in a character."""
    answer = run.ask(words=20, pace=0.1, viewers=1)
    for way in Way:
        for place in range(1, 1200, 8):
            offset = place + run.random.randrange(8)
            run.watch(answer, way, Trouble(cut_after=deque([offset]), at_once=True))
            run.injected()
