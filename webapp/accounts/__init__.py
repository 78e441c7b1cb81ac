"""Optional accounts: people sign in at a provider (OpenID Connect), and take along what was the browser's.

provider.py asks the provider and believes nothing unchecked; views.py is what a browser and the page ask of us.
Without OIDC_ISSUER nothing of it is there.
"""

from webapp.accounts.provider import open_provider
from webapp.accounts.views import account_views, init_accounts

__all__ = ["account_views", "init_accounts", "open_provider"]
