"""Whoever opens a share link sees the same answer appear, to the character, until the link is dead."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Person, ScriptedAnswer, Stack, Stranger
from tests.support.browser import FAR_HOST, Visit
from tests.support.waiting import wait_until

ELSEWHERE = f"http://{FAR_HOST}:1/elsewhere"  # nobody is there, which does not matter


def share(visit: Visit, may: str = "Watch", *, discussion: bool = True) -> str:
    """Make a link as the owner does, and return its path."""
    visit.page.get_by_role("button", name="Share", exact=True).click()
    dialog = visit.page.get_by_role("dialog", name="Share this conversation")
    links = dialog.get_by_role("textbox", name="Link")
    before = links.count()
    dialog.get_by_role("radio", name=may).check()
    dialog.get_by_role("checkbox", name="Talk beside it").set_checked(discussion)
    dialog.get_by_role("button", name="Create a link").click()
    expect(links).to_have_count(before + 1)
    address = links.last.input_value()
    visit.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    return "/s/" + address.rpartition("/s/")[2]


def proof_of(visit: Visit) -> str:
    """Have the page compare its text with the server's; what it says then."""
    visit.page.get_by_role("button", name="Compare with the server’s text").last.click()
    proof = visit.page.locator(".proof").last
    expect(proof).to_have_text(re.compile("The same for all, as on the server: [0-9a-f]{8}"))
    return proof.inner_text()


def test_five_viewers_one_slow_one_late_one_reloading_all_end_with_the_same_text(
    person: Person, answer: ScriptedAnswer, stranger: Stranger
) -> None:
    owner = person.visit()
    path = share(owner)  # before anything was asked
    people = [stranger() for _ in range(5)]
    slow, late, reloading, cut, steady = people
    visits = {each: each.visit(path) for each in people if each is not late}
    for visit in visits.values():
        expect(visit.page.get_by_text("Nothing has been asked yet.")).to_be_visible()
    owner.ask("Tell me")
    answer.release(10)
    for visit in visits.values():
        visit.wait_for_text(answer.first(10))

    slow.proxy.freeze()  # nothing reaches it, and nobody says so
    cut.proxy.cut()
    visits[reloading].page.reload()
    visits[late] = late.visit(path)
    answer.release(10)
    for each in (late, reloading, steady):
        visits[each].wait_for_text(answer.first(20))
    first, *tail = visits[late].sockets[-1].chunks()
    assert first["text"].startswith(answer.first(10))  # one compact catch-up
    assert len(tail) <= 10
    slow.proxy.heal()
    cut.proxy.heal()
    answer.release(10)
    for visit in [owner, *visits.values()]:
        visit.wait_for_text(answer.whole)
        visit.wait_for_status("")
    assert len({proof_of(visit) for visit in [owner, *visits.values()]}) == 1
    assert len(person.requests()) == 1


def test_a_link_works_after_the_answer_is_complete_and_shows_nothing_of_the_owner(
    person: Person, answer: ScriptedAnswer, stranger: Stranger
) -> None:
    owner = person.visit()
    owner.ask("Tell me")
    answer.release(30)
    owner.wait_for_status("")
    visit = stranger().visit(share(owner))
    visit.wait_for_text(answer.whole)
    expect(visit.page.locator(".question .asker")).to_have_text("The owner")
    expect(visit.page.get_by_role("navigation")).to_have_count(0)
    for button in ("Share", "Try again", "Edit and send again", "This conversation"):
        expect(visit.page.get_by_role("button", name=button)).to_have_count(0)
    expect(visit.page.get_by_role("textbox", name="Message")).to_have_count(0)
    expect(visit.page.get_by_text("You are watching.")).to_be_visible()


def test_who_is_watching_is_counted_and_they_talk_beside_the_answer(
    person: Person, answer: ScriptedAnswer, stranger: Stranger
) -> None:
    owner = person.visit()
    path = share(owner)
    owner.ask("Tell me")
    answer.release(5)
    bob, eve = stranger().visit(path), stranger().visit(path)
    expect(owner.page.locator(".viewers")).to_have_text("2 watching")
    hostile = '<img src=x onerror="window.ran=1">\u202e'
    for visit, name, words in ((bob, "Bob", "Pretty."), (eve, hostile, "<script>window.ran=1</script>")):
        visit.page.get_by_role("button", name="Discussion").click()
        beside = visit.page.get_by_role("complementary", name="Discussion")
        beside.get_by_role("textbox", name="Your name").fill(name)
        beside.get_by_role("textbox", name="Your remark").fill(words)
        beside.get_by_role("textbox", name="Your remark").press("Enter")
        expect(beside.get_by_role("textbox", name="Your remark")).to_have_value("")
        expect(beside.locator(".said").last).to_have_text(words)
    expect(owner.page.locator(".unread")).to_have_text("2 new")
    owner.page.get_by_role("button", name="Discussion").click()
    said = owner.page.locator(".said")
    expect(said).to_have_text(["Pretty.", "<script>window.ran=1</script>"])
    expect(owner.page.locator(".remark .name")).to_have_text(["Bob", '<img src=x onerror="window.ran=1">'])
    assert owner.page.evaluate("window.ran") is None

    owner.page.get_by_role("button", name="Remove the remark of Bob").click()
    for visit in (owner, bob, eve):
        expect(visit.page.locator(".said")).to_have_text(["<script>window.ran=1</script>"])
    expect(bob.page.get_by_role("button", name=re.compile("Remove"))).to_have_count(0)
    eve.page.get_by_role("button", name=re.compile("Remove the remark")).click()
    expect(bob.page.get_by_text("Nobody has said anything yet.")).to_be_visible()

    bob.page.close()
    expect(owner.page.locator(".viewers")).to_have_text("1 watching")
    # It is kept with the conversation.
    owner.page.get_by_role("textbox", name="Your remark").fill("To be kept")
    owner.page.get_by_role("textbox", name="Your remark").press("Enter")
    expect(owner.page.locator(".said")).to_have_text(["To be kept"])
    owner.page.reload()
    owner.page.get_by_role("button", name="Discussion").click()
    expect(owner.page.locator(".said")).to_have_text(["To be kept"])


def test_what_a_guests_mark_is_for_is_told_to_whoever_presses_it_by_finger_or_by_key(
    person: Person, stack: Stack, stranger: Stranger
) -> None:
    owner = person.visit()
    path = share(owner, "Ask too")
    bob = stranger().visit(path)
    bob.page.get_by_role("textbox", name="Your name").fill("Bob")
    stack.model.script({"deltas": ["Holes."]})
    bob.ask("What is lace?")
    bob.wait_for_text("Holes.")
    bob.page.get_by_role("button", name="Discussion").click()
    bob.page.get_by_role("textbox", name="Your remark").fill("Pretty.")
    bob.page.get_by_role("textbox", name="Your remark").press("Enter")

    note = owner.page.get_by_role("note")
    expect(owner.page.locator(".question .mark")).to_be_visible()
    expect(note).to_be_hidden()
    owner.page.set_viewport_size({"width": 390, "height": 844})
    owner.page.locator(".question .mark").click()
    expect(note).to_contain_text("was said by the same guest")
    expect(note).to_be_in_viewport(ratio=1)
    owner.page.locator(".answer").click()
    expect(note).to_be_hidden()

    owner.page.get_by_role("button", name="Discussion").click()
    beside = owner.page.get_by_role("complementary", name="Discussion")
    mark = beside.get_by_role("button", name=re.compile("^Mark [0-9a-f]{6}$"))
    mark.press("Enter")
    expect(note).to_be_in_viewport(ratio=1)
    expect(note).to_be_focused()  # so that it is read to whoever does not see it
    owner.page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    expect(mark).to_be_focused()
    expect(beside).to_be_visible()


def test_a_visitor_asks_too_and_who_is_second_keeps_their_words(
    person: Person, stack: Stack, stranger: Stranger
) -> None:
    owner = person.visit()
    path = share(owner, "Ask too")
    bob, eve = stranger().visit(path), stranger().visit(path)
    bob.page.get_by_role("textbox", name="Your name").fill("Bob")
    stack.model.script({"deltas": ["Holes, ", "tied together."], "gate": "asked"})
    bob.ask("What is lace?")
    for visit in (owner, eve):
        expect(visit.page.locator(".question .words")).to_have_text(["What is lace?"])
        expect(visit.page.locator(".question .asker .name")).to_have_text(["Bob"])
    expect(bob.page.get_by_role("button", name="Stop")).to_be_visible()
    expect(eve.page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(owner.page.get_by_role("button", name="Stop")).to_be_visible()

    # Eve's page is told the moment before it knows: her words stay, and she is told why.
    refused = eve.page.request.post(path.replace("/s/", "/api/shares/") + "/messages", data={"content": "And silk?"})
    assert refused.status == 409
    assert "Another question is being answered" in refused.json()["detail"]
    box = eve.page.get_by_role("textbox", name="Message")
    box.fill("And silk?")
    box.press("Enter")
    expect(box).to_have_value("And silk?")
    expect(eve.page.get_by_role("button", name="Send")).to_be_disabled()

    stack.model.release("asked", 2)
    for visit in (owner, bob, eve):
        visit.wait_for_text("Holes, tied together.")
    stack.model.script({"deltas": ["From a worm."]})
    expect(eve.page.get_by_role("button", name="Send")).to_be_enabled()
    box.press("Enter")
    for visit in (owner, bob, eve):
        visit.wait_for_text("From a worm.")
        visit.wait_for_status("")
    expect(bob.page.locator(".question .asker .name")).to_have_text(["A guest"])
    assert len(person.requests()) == 2


def test_a_revoked_link_cuts_its_watchers_off_in_mid_answer_and_shows_no_more(
    person: Person, answer: ScriptedAnswer, stranger: Stranger
) -> None:
    owner = person.visit()
    doomed, kept = share(owner), share(owner)
    owner.ask("Tell me")
    answer.release(10)
    leaver, stayer = stranger().visit(doomed), stranger().visit(kept)
    for visit in (leaver, stayer):
        visit.wait_for_text(answer.first(10))

    owner.page.get_by_role("button", name="Share", exact=True).click()
    owner.page.get_by_role("button", name="Revoke").first.click()
    expect(owner.page.get_by_role("textbox", name="Link")).to_have_count(1)
    owner.page.keyboard.press("Escape")
    expect(leaver.page.get_by_role("heading", name="This is no longer shared")).to_be_visible()
    expect(leaver.page.locator(".message")).to_have_count(0)
    expect(leaver.page.locator(".badge")).to_have_text("Not shared")
    heard = len(leaver.sockets[-1].received)
    answer.release(20)
    for visit in (owner, stayer):
        visit.wait_for_text(answer.whole)
        visit.wait_for_status("")
    assert len(leaver.sockets) == 1  # it does not come back
    assert len(leaver.sockets[-1].received) == heard
    assert "naïve café" not in leaver.page.evaluate("JSON.stringify(sessionStorage)")
    leaver.page.reload()
    expect(leaver.page.get_by_role("heading", name="This is no longer shared")).to_be_visible()
    response = leaver.page.request.get(doomed)
    assert response.status == 410


def test_a_shared_address_leaks_to_no_site_that_an_answer_links_to(
    person: Person, stack: Stack, stranger: Stranger
) -> None:
    stack.model.script({"deltas": [f"See [there]({ELSEWHERE})."]})
    owner = person.visit()
    owner.ask("Where?")
    owner.wait_for_status("")
    bob = stranger()
    visit = bob.visit(share(owner))
    with bob.context.expect_event("request", lambda request: request.url == ELSEWHERE) as asked:
        visit.page.get_by_role("link", name="there").click()
    assert "referer" not in asked.value.headers


def test_a_page_of_another_site_cannot_frame_a_shared_one(person: Person, stranger: Stranger) -> None:
    address = person.proxy.url + share(person.visit())
    page = stranger().context.new_page()
    page.set_content(f'<iframe src="{address}"></iframe>')
    page.wait_for_function("() => document.querySelector('iframe').contentDocument === null")  # another site by now
    page.frames[1].wait_for_url(re.compile("^chrome-error:"), wait_until="commit")


@pytest.mark.parametrize("host", ["127.0.0.1", FAR_HOST])
def test_a_link_can_be_copied_from_its_dialog_at_any_address(person: Person, host: str) -> None:
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit = person.visit(person.proxy.url.replace("127.0.0.1", host))
    visit.page.get_by_role("button", name="Share", exact=True).click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Create a link").click()
    address = dialog.get_by_role("textbox", name="Link").input_value()
    dialog.get_by_role("button", name="Copy the link").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(visit.page.get_by_role("button", name="Share", exact=True)).to_be_focused()
    box = visit.page.get_by_role("textbox", name="Message")
    box.press("ControlOrMeta+v")
    expect(box).to_have_value(address)


def test_what_could_not_be_done_in_a_dialog_is_said_in_it_and_no_words_are_lost(person: Person) -> None:
    visit = person.visit()
    share(visit)
    person.proxy.cut()
    visit.wait_for_link("Reconnecting")
    visit.page.get_by_role("button", name="Share", exact=True).click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.get_by_role("alert")).to_have_text("The server could not be reached.")
    dialog.get_by_role("button", name="Close").click()
    visit.page.get_by_role("button", name="This conversation").click()
    dialog.get_by_role("textbox", name="Instructions for the model").fill("Be brief.")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_have_text("The server could not be reached.")
    person.proxy.heal()
    visit.wait_for_link("Live")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    visit.page.reload()
    visit.page.get_by_role("button", name="This conversation").click()
    expect(dialog.get_by_role("textbox", name="Instructions for the model")).to_have_value("Be brief.")


def test_a_link_that_never_was_leads_nowhere(stranger: Stranger) -> None:
    page = stranger().context.new_page()
    page.goto("/s/neverwas")
    expect(page.get_by_role("heading", name="This link leads nowhere")).to_be_visible()
    expect(page.locator(".badge")).to_have_text("Not shared")
    expect(page.get_by_role("heading", name="This link leads nowhere")).to_be_visible()


def test_what_was_deleted_is_restored_by_undo_with_its_links(
    person: Person, answer: ScriptedAnswer, stranger: Stranger
) -> None:
    owner = person.visit()
    owner.ask("Tell me")
    answer.release(30)
    owner.wait_for_status("")
    path = share(owner)
    second = person.visit(owner.page.url)
    watcher = stranger().visit(path)
    watcher.wait_for_text(answer.whole)

    owner.page.get_by_role("button", name="Delete “Tell me”").click()
    expect(owner.page.get_by_role("status").filter(has_text="“Tell me” was deleted.")).to_be_visible()
    expect(second.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(watcher.page.get_by_role("heading", name="This is no longer shared")).to_be_visible()
    owner.page.get_by_role("button", name="Undo").click()
    owner.wait_for_text(answer.whole)
    expect(owner.page.locator(".entry .title")).to_have_text(["Tell me"])
    watcher.page.reload()
    watcher.wait_for_text(answer.whole)


def test_everything_of_mine_is_deleted_at_once(person: Person, stack: Stack, stranger: Stranger) -> None:
    stack.model.script({"deltas": ["Yes."]})
    owner = person.visit()
    owner.ask("Is this mine?")
    owner.wait_for_status("")
    path = share(owner)
    watcher = stranger().visit(path)
    watcher.wait_for_text("Yes.")
    owner.page.get_by_role("button", name="Delete everything of mine").click()
    dialog = owner.page.get_by_role("dialog", name="Delete everything of mine?")
    dialog.get_by_role("button", name="Delete everything").click()
    kept = "[...Array(localStorage.length)].map((_, at) => localStorage.key(at)).concat(Object.keys(sessionStorage))"
    expect(owner.page.get_by_text("What you ask is kept here.")).to_be_visible()
    expect(owner.page.locator(".entry")).to_have_count(0)
    assert owner.page.evaluate(kept) == []
    expect(watcher.page.get_by_role("heading", name="This is no longer shared")).to_be_visible()
    wait_until(lambda: watcher.page.request.get(path).status == 404, what="the link to lead nowhere")
