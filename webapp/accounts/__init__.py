"""Optional accounts: people sign in at a provider (OpenID Connect), and take along what was the browser's.

provider.py asks the provider and believes nothing unchecked; views.py is what a browser and the page ask of us.
Without OIDC_ISSUER nothing of it is there.
"""

from typing import TYPE_CHECKING

from flask import Flask

from webapp.account_settings import Oidc
from webapp.accounts.views import account_views, init_accounts, sign_in_first

if TYPE_CHECKING:
    from webapp.accounts.provider import Provider

__all__ = ["account_views", "init_accounts", "open_provider", "sign_in_first"]


def open_provider(app: Flask, settings: Oidc | None) -> "Provider | None":
    """The provider of the settings, if they name one."""
    if settings is None:
        return None
    from webapp.accounts.provider import Provider  # what it stands on takes 15 MB, and who has no accounts needs none

    return Provider(app, settings)
