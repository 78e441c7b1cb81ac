"""What hostile words do to a page: nothing but stand there."""

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Person, Stack, Stranger
from tests.browser.test_sharing import share
from tests.browser.watchman import Watchman
from tests.support import hostile

SOME = {  # of each kind all in one answer
    "markup": "\n\n".join(hostile.MARKUP.values()),
    "links": "\n\n".join(hostile.LINKS.values()),
    "characters": "\n\n".join(hostile.CHARACTERS.values()),
    **hostile.SIZES,
}


@pytest.mark.parametrize("kind", SOME)
def test_an_answer_and_a_question_do_nothing_but_stand_there(person: Person, stack: Stack, kind: str) -> None:
    words = SOME[kind]
    cut = len(words) // 2  # so that half of something is drawn, too
    stack.model.script({"deltas": [words[:cut], words[cut:]]})
    visit = person.visit()
    watchman = Watchman(visit.page)
    visit.ask(words[:20_000])
    visit.wait_for_status("")
    expect(visit.page.locator(".answer .prose")).not_to_be_empty()
    watchman.all_is_well()
    visit.page.reload()
    expect(visit.page.locator(".answer .prose")).not_to_be_empty()
    watchman.all_is_well()


def test_titles_names_and_remarks_do_nothing_but_stand_there(person: Person, stack: Stack, stranger: Stranger) -> None:
    stack.model.script({"deltas": ["Fine."]})
    owner = person.visit()
    watchman = Watchman(owner.page)
    owner.ask("Go on")
    owner.wait_for_status("")
    path = share(owner)
    api = owner.page.url.replace("/c/", "/api/conversations/")
    guest = stranger().visit(path)
    watched = Watchman(guest.page)
    owner.page.get_by_role("button", name="Discussion").click()
    guest.page.get_by_role("button", name="Discussion").click()
    for words in hostile.SHORT.values():
        changed = owner.page.request.patch(api, data={"title": f"{words[:190]}."})
        assert changed.ok
        said = guest.page.request.post(
            f"{guest.page.url.replace('/s/', '/api/shares/')}/remarks",
            data={"content": words[:2000], "name": words[:80]},
        )
        assert said.ok
    for page in (owner.page, guest.page):
        expect(page.locator(".remark")).to_have_count(len(hostile.SHORT))
        lines = page.locator(".remark .about").evaluate_all(
            "lines => lines.map(line => [line.clientHeight, line.scrollHeight])"
        )
        assert all(tall <= 60 for height, tall in lines)  # no heap of marks reaches into other lines
    watchman.all_is_well()
    watched.all_is_well()


@pytest.mark.parametrize("name", ["The owner", "You", "Bob", "\u0412ob", "Bob\u200b", "owner"])
def test_nobody_looks_like_somebody_else_by_a_name(person: Person, stack: Stack, stranger: Stranger, name: str) -> None:
    stack.model.script({"deltas": ["Fine."]}, {"deltas": ["Fine."]}, {"deltas": ["Fine."]})
    owner = person.visit()
    path = share(owner, "Ask too")
    owner.ask("Of the owner")
    owner.wait_for_status("")
    guests = []
    for called, words in (("Bob", "Of Bob"), (name, "Of Eve")):
        guest = stranger().visit(path)
        guest.page.get_by_role("textbox", name="Your name").fill(called)
        guest.ask(words)
        guest.wait_for_status("")
        guests.append(guest)
    for reader in (owner, stranger().visit(path)):
        shown = reader.page.locator(".question h2")
        expect(shown).to_have_count(3)
        told = [(each.inner_text(), each.get_attribute("class")) for each in shown.all()]
        assert len(set(told)) == 3, told
        assert all(each.locator(".mark").count() == 1 for each in shown.all()[1:])
        assert shown.first.locator(".mark").count() == 0
