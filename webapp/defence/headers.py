"""What a browser may do with what we send: the page's policy, a closed one for data, an open one for borrowed pages."""

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
BORROWED_POLICY = (  # Swagger's page and rq-dashboard have scripts and styles in their HTML, and evaluate templates
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)
BORROWED = {"openapi", "swagger", "rq_dashboard"}  # blueprints

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
    policy = BORROWED_POLICY if request.blueprint in BORROWED else DATA_POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    # Whatever says nothing else is somebody's own: words, a cookie, a redirect. The page keeps what it needs itself.
    response.headers.setdefault("Cache-Control", "no-store")
    for name, value in SAME_FOR_ALL.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HTTPS_FROM_NOW_ON)
    return response
