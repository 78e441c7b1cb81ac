"""What the administrator sees first: the login page, and the index of what there is."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Flask, Response, redirect, request
from redis import Redis
from werkzeug.wrappers import Response as AnyResponse

from webapp.admin.guard import ADMIN, Admin, refuse_other_sites
from webapp.defence.destinations import own_path
from webapp.plain import plain_page
from webapp.problems import Problem
from webapp.settings import Settings

HOME = "/admin"
WRONG = "That is not the password."


def init_admin(app: Flask, settings: Settings, redis: Redis) -> Admin:
    """Mount the pages, and return who guards the others. Without ADMIN_PASSWORD every address of theirs is 404.

    Call it when the application has its keys: the session is signed with them too.
    """
    password = settings.admin_password.get_secret_value() if settings.admin_password else None
    admin = Admin(
        password,
        [str(app.secret_key), *(app.config["SECRET_KEY_FALLBACKS"] or [])],
        redis,
        trusted_proxies=settings.trusted_proxies,
    )
    pages = Blueprint("admin", __name__, url_prefix=HOME)

    @pages.get("")
    def index() -> Response:
        admin.admit()
        return plain_page("admin/index.html", pages=admin.pages)

    @pages.get("/login")
    def login() -> AnyResponse:
        admin.must_exist()
        wanted = own_path(request.args.get("next"), HOME)
        if admin.session():
            return redirect(wanted, HTTPStatus.SEE_OTHER)
        return _login(wanted)

    @pages.post("/login")
    def sign_in() -> AnyResponse:
        admin.must_exist()
        refuse_other_sites()
        wanted = own_path(request.form.get("next"), HOME)
        try:
            right = admin.is_password(request.form.get("password", ""))
        except Problem as problem:
            return _login(wanted, problem.status, problem.detail, problem.headers)
        if not right:
            return _login(wanted, HTTPStatus.FORBIDDEN, WRONG)
        admin.sign_in()
        return redirect(wanted, HTTPStatus.SEE_OTHER)

    @pages.post("/logout")
    def sign_out() -> AnyResponse:
        admin.must_exist()
        refuse_other_sites()
        admin.sign_out()
        return redirect("/admin/login", HTTPStatus.SEE_OTHER)

    app.register_blueprint(pages)
    return admin


def _login(
    wanted: str, status: HTTPStatus = HTTPStatus.OK, wrong: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    return plain_page("admin/login.html", status, headers, wanted=wanted, wrong=wrong, user=ADMIN)
