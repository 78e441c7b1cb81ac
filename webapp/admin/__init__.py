"""Who may see what is for whoever runs this: a login for people, HTTP Basic for programs, one password for both.

Start with guard.py: every page that is the administrator's calls its `admit` first, and does nothing else about it.
"""

from webapp.admin.guard import ADMIN, Admin
from webapp.admin.pages import init_admin

__all__ = ["ADMIN", "Admin", "init_admin"]
