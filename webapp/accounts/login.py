"""What comes of asking the provider: somebody came back, or not."""

from dataclasses import dataclass

from conversations import Profile


class ProviderAway(Exception):
    """It does not answer, or says that it cannot now."""


class Refused(Exception):
    """There was an answer, and it proves nothing. The message is for the log."""


class Declined(Refused):
    """The person, or the provider's rules, said no."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who came back from the provider, and where they wanted to go."""

    profile: Profile
    destination: str
