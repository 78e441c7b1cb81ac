"""What a browser may do with what we send: the page's policy, a closed one for data, and one for borrowed pages.

Swagger's page and rq-dashboard have scripts in their HTML. Those that stand there when we send it get a nonce, of which
whatever a script puts into the document later knows nothing: so no word in it runs, as on our own page.
"""

import re
import secrets

from flask import Flask, Response, request

PAGE_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
SWAGGERS_LOGO = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"  # the style in it
BORROWED_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'{more}; "
    f"style-src 'self' 'nonce-{{nonce}}' {SWAGGERS_LOGO}; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
BORROWED = {  # blueprints, and what their scripts must have besides
    "openapi": "",
    "swagger": "",
    "rq_dashboard": " 'unsafe-eval'",  # it compiles its templates
}
INLINE = re.compile(rb"<(script|style)(?=[\s>])")

SAME_FOR_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # `frame-ancestors` for browsers that do not know it
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}
HTTPS_FROM_NOW_ON = "max-age=31536000"  # of this host; its subdomains are not ours to speak for


def init_headers(app: Flask) -> None:
    """Complete every answer of this application. What a view has set stays."""
    app.after_request(_complete)


def _complete(response: Response) -> Response:
    if request.blueprint in BORROWED and response.mimetype == "text/html":
        nonce = secrets.token_urlsafe(16)
        response.set_data(INLINE.sub(rb'<\1 nonce="%b"' % nonce.encode(), response.get_data()))
        policy = BORROWED_POLICY.format(nonce=nonce, more=BORROWED[request.blueprint])
    else:
        policy = DATA_POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    # Whatever says nothing else is somebody's own: words, a cookie, a redirect. The page keeps what it needs itself.
    response.headers.setdefault("Cache-Control", "no-store")
    for name, value in SAME_FOR_ALL.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HTTPS_FROM_NOW_ON)
    return response
