"""The model's server, asked with the worker's own client: whether it answers, and has the models that are named."""

import time
from collections.abc import Callable
from contextlib import closing

from rejoinder.checks.findings import Finding, ok, warning, wrong
from rejoinder.words import duration
from workers.backoff import Backoff
from workers.providers.openai_chat import OpenAIChat
from workers.providers.source import Delta, ModelFailed
from workers.settings import NO_TITLES, Settings

ABOUT = "model"
PATIENCE = 5.0  # seconds for a connection, and for the list
QUESTION = "Say yes, and nothing else."
CORRECT = "Correct OPENAI_BASE_URL and OPENAI_API_KEY, or start that server."


def check_model(settings: Settings, *, ask: bool, clock: Callable[[], float] = time.monotonic) -> list[Finding]:
    """Lists the models, which costs nothing; with `ask`, has the default one answer a question of five words."""
    with closing(_source(settings)) as source:
        findings = _listed(source, settings)
        if ask:
            findings.append(_answered(source, settings.default_model, clock))
        return findings


def _source(settings: Settings) -> OpenAIChat:
    return OpenAIChat(
        base_url=settings.openai_base_url,
        api_key=settings.openai_api_key.get_secret_value() if settings.openai_api_key else None,
        default_model=settings.default_model,
        connections=1,
        connect_timeout=min(PATIENCE, settings.connect_timeout),
        attempts=1,
        patience=PATIENCE,
        backoff=Backoff(),
        sleep=time.sleep,
    )


def _listed(source: OpenAIChat, settings: Settings) -> list[Finding]:
    place = source.warm_up()
    try:
        names = source.models()
    except ModelFailed as error:
        if error.cause.startswith("HTTP 404"):
            found = f"{place} lists no models (404)"
            mend = "If no answers come either, OPENAI_BASE_URL is wrong; it often ends in /v1. `--ask` shows it."
            return [warning(ABOUT, found, mend)]
        if error.cause.startswith(("HTTP 401", "HTTP 403")):
            return [
                wrong(ABOUT, f"{place} does not accept the key ({error.cause})", "Put a good one into OPENAI_API_KEY.")
            ]
        return [wrong(ABOUT, f"{place}: {error.cause}", CORRECT)]
    if not names:
        return [warning(ABOUT, f"{place} answers, and lists no models", "See whether `--ask` gets an answer.")]
    return [ok(ABOUT, f"{place} answers, and lists {len(names)}"), *_named(names, settings)]


def _named(names: list[str], settings: Settings) -> list[Finding]:
    """The models that the settings name."""
    wanted = dict.fromkeys([settings.default_model, *(settings.openai_models or ())])
    if settings.title_model and settings.title_model != NO_TITLES:
        wanted[settings.title_model] = None
    findings = []
    for name in wanted:
        if name in names:
            findings.append(ok(ABOUT, f"“{name}” is among them"))
        else:
            variable = "OPENAI_MODEL" if name == settings.default_model else "OPENAI_MODELS and TITLE_MODEL"
            some = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
            mend = f"Correct {variable}, or have the server load it. It has: {some}."
            findings.append(wrong(ABOUT, f"“{name}” is not among them", mend))
    return findings


def _answered(source: OpenAIChat, model: str, clock: Callable[[], float]) -> Finding:
    begun = clock()
    with closing(source.stream(model, [{"role": "user", "content": QUESTION}])) as events:
        try:
            for event in events:
                if isinstance(event, Delta):
                    return ok(ABOUT, f"“{model}” began to answer after {duration(clock() - begun)}")
        except ModelFailed as error:
            return wrong(ABOUT, f"“{model}” did not answer ({error.cause})", error.reason)
    return wrong(ABOUT, f"“{model}” answered with nothing", "Look at that server's log.")
