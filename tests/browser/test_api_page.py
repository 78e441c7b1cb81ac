"""The API's own page, which is Swagger's, under our policy."""

from playwright.sync_api import Browser, expect

from tests.support.browser import wait_in


def test_the_apis_page_lets_one_try_a_request_and_breaks_no_rule_of_ours(browser: Browser, web_port: int) -> None:
    with browser.new_context(base_url=f"http://127.0.0.1:{web_port}") as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto("/api/openapi/swagger")
        operation = page.locator(".opblock-get:has([data-path='/api/models'])")
        operation.locator("button.opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")

        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=none onerror=\"window.ran = true\">')")
        expect(page.locator("img[src=none]")).to_have_js_property("complete", True)
        assert page.evaluate("window.ran") is None
        wait_in(page, lambda: len(faults) >= 2, "both to be told")
    assert len(faults) == 2, faults  # the image that is not there, and its handler that was refused
    assert any("inline event handler" in fault for fault in faults)
