"""By what somebody is let in, and to what: as the owner, or by a share.

What is not theirs is NotFound to both. Everything else asks only an Access, and need not know which it is.
"""

from dataclasses import dataclass
from typing import Protocol

from conversations import NotFound, ShareRecord, StreamRecord
from webapp.door import Door


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation that one was let in to."""

    conversation_id: str
    version: int
    discussion: bool


class Access(Protocol):
    """Every method raises NotFound and, of a share, ShareOver."""

    @property
    def share_id(self) -> str | None:
        """The share that was named; None: nobody named one."""

    def share(self) -> ShareRecord | None:
        """The share that lets one in; None: it is the owner."""

    def lister(self) -> str | None:
        """Whose list of conversations one may see; None: nobody's."""

    def stream(self, stream_id: str) -> StreamRecord:
        """A stream that one may follow."""

    def conversation(self, name: str) -> Place:
        """A conversation that one may watch."""


@dataclass(frozen=True, slots=True)
class OwnerAccess:
    """To all that is the owner's. A conversation's name is its id."""

    door: Door
    owner: str
    share_id: None = None

    def share(self) -> ShareRecord | None:
        return None

    def lister(self) -> str | None:
        return self.owner or None

    def stream(self, stream_id: str) -> StreamRecord:
        return self.door.stream(stream_id, self.owner)

    def conversation(self, name: str) -> Place:
        version = self.door.versions([name], owner=self.owner).get(name)
        if version is None:
            raise NotFound("conversation", name)
        return Place(name, version, discussion=True)


@dataclass(frozen=True, slots=True)
class ShareAccess:
    """To one conversation, whose name is the share's id: its own is nobody else's business."""

    door: Door
    share_id: str

    def share(self) -> ShareRecord | None:
        return self.door.shared(self.share_id)

    def lister(self) -> str | None:
        return None

    def stream(self, stream_id: str) -> StreamRecord:
        return self.door.shared_stream(stream_id, self.share_id)

    def conversation(self, name: str) -> Place:
        if name != self.share_id:
            raise NotFound("conversation", name)
        share = self.door.shared(self.share_id)
        version = self.door.versions([share.conversation_id]).get(share.conversation_id)
        if version is None:  # just now
            raise NotFound("conversation", name)
        return Place(share.conversation_id, version, share.terms.discussion)


def access_for(door: Door, owner: str, share_id: str | None) -> Access:
    """By the share if one is named, else as the owner."""
    return ShareAccess(door, share_id) if share_id else OwnerAccess(door, owner)
