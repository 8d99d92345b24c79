#!/usr/bin/env python3
"""Tests the status page of a node in headless Chromium.

    page_test.py BASE_URL TOKEN [--source CAR] [--shots DIR]

Needs Debian's packages chromium, chromium-driver and python3-selenium (or selenium from PyPI). With `--source`, the
test registers shards with hostile keys through the API, lazily, and destroys them at the end; without it, the store
must have a key with `<`. The store should have more than 50 shards; with fewer, the paging test checks that there is
one page. TOKEN may be empty for a node without a token. Exits 0 if all checks pass.
"""
import argparse, json, os, shutil, sys, time, traceback, urllib.error, urllib.request
from urllib.parse import quote, urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

HOSTILE = ["page-test <script>window.pwned=1</script>", "page-test <img src=x onerror=window.pwned=1>", "page-test \u202efdp.exe",
           "page-test a/b?c#d%2F&e", "page-test \"'><svg onload=window.pwned=1>", "page-test " + "x" * 470]


class Check:
    def __init__(self, options):
        self.base, self.token, self.options = options.base.rstrip("/"), options.token, options
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.base))
        self.passed = self.failed = 0
        chrome = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1440,900",
                         "--disable-background-networking", "--disable-component-update", "--no-first-run"):
            chrome.add_argument(argument)
        binary = shutil.which("chromium")
        if binary:
            chrome.binary_location = binary
        chrome.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver") or "/usr/bin/chromedriver"), options=chrome)
        self.driver.set_page_load_timeout(60)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
            window.faults = [];
            addEventListener("error", (event) => faults.push("error: " + event.message));
            addEventListener("unhandledrejection", (event) => faults.push("rejection: " + event.reason));
            addEventListener("securitypolicyviolation", (event) => faults.push("policy: " + event.violatedDirective + " " + event.blockedURI));
        """})
        self.made, self.logs, self.requests = [], [], []

    # The API

    def api(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            raw = answer.read()
        return json.loads(raw) if raw else None

    def first(self, query):
        return self.api("GET", "/v1/shards?" + query)

    # The page

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def script(self, source, *arguments):
        return self.driver.execute_script(source, *arguments)

    def wait(self, what, condition, seconds=20):
        return WebDriverWait(self.driver, seconds, poll_frequency=0.1, ignored_exceptions=(Exception,)).until(lambda _: condition(), f"waited for: {what}")

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0]).textContent", selector)

    def keys(self):
        """Returns the keys of the rows, decoded from their links."""
        return self.script("return [...document.querySelectorAll('#rows a')].map((a) => decodeURIComponent(a.getAttribute('href').slice(8)))")

    def is_idle(self):
        return not self.script("return document.querySelector('#table').hasAttribute('aria-busy')")

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, matches, most=300):
        """Presses Tab until the focused element matches the CSS selector."""
        for _ in range(most):
            self.press(Keys.TAB)
            if self.script("return document.activeElement.matches(arguments[0])", matches):
                return
        raise AssertionError(f"{most} presses of Tab do not reach {matches}")

    def collect(self):
        self.logs += self.driver.get_log("browser")
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
        return self.logs

    def shot(self, name):
        if self.options.shots:
            os.makedirs(self.options.shots, exist_ok=True)
            self.driver.save_screenshot(os.path.join(self.options.shots, name + ".png"))

    # The tests, in their order

    def test_token_form(self):
        self.driver.get(self.base + "/")
        if not self.token:
            return self.wait("the figures", lambda: self.find("#content").is_displayed())
        self.wait("the token form", lambda: self.find("#gate").is_displayed())
        assert not self.find("#content").is_displayed(), "the page shows figures without a token"
        assert self.script("return document.activeElement.id") == "token", "the token field has no focus"
        self.press("wrong-token", Keys.ENTER)
        self.wait("the message about a wrong token", lambda: "rejects" in self.text("#token-wrong"))
        self.press(self.token, Keys.ENTER)
        self.wait("the figures", lambda: self.find("#content").is_displayed())
        assert not self.find("#gate").is_displayed(), "the token form stays"

    def test_token_is_in_memory_only(self):
        kept = self.script("return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, document.documentElement.outerHTML])")
        assert not self.token or self.token not in kept, "the page keeps the token outside of memory"

    def test_counts(self):
        def same():
            summary = self.api("GET", "/v1/summary")
            shown = self.script("return Object.fromEntries([...document.querySelectorAll('#states button')].map((b) => [b.dataset.state, b.querySelector('b').textContent]))")
            wanted = {"": summary["shards"]} | summary["states"]
            return all(shown.get(name) == f"{number:,}" for name, number in wanted.items())
        self.wait("the counts of the summary", same, 60)
        assert self.script("return document.querySelectorAll('#figures div').length") >= 7
        self.shot("list")

    def test_rows(self):
        self.wait("rows", lambda: self.is_idle() and self.keys() == [shard["key"] for shard in self.first("limit=50")["shards"]])

    def test_paging(self):
        one = self.first("limit=50")
        if one["next"] is None:
            assert self.find("#next").get_attribute("aria-disabled") == "true", "a single page has a next page"
            return
        two = self.first("limit=50&after=" + quote(str(one["next"]), safe=""))
        self.find("#next").click()
        self.wait("the second page", lambda: self.keys() == [shard["key"] for shard in two["shards"]])
        self.find("#previous").click()
        self.wait("the first page", lambda: self.keys() == [shard["key"] for shard in one["shards"]])
        assert self.find("#previous").get_attribute("aria-disabled") == "true"

    def test_search(self):
        shards = self.first("limit=1000")["shards"]
        key = shards[-1]["key"]
        needle = next((part for part in key.split() if part.isascii() and part.isprintable()), key)[:40]
        field = self.find("#search")
        field.send_keys(needle)
        wanted = [shard["key"] for shard in self.first("limit=50&search=" + quote(needle, safe=""))["shards"]]
        assert wanted, "the API finds no shard"
        self.wait("the rows that match", lambda: self.is_idle() and self.keys() == wanted)
        field.send_keys(" no such shard \u2603")
        self.wait("an empty table", lambda: self.keys() == [] and self.find("#none").is_displayed())
        field.clear()
        field.send_keys(Keys.ENTER)
        self.wait("all rows", lambda: len(self.keys()) == min(50, len(shards)))

    def test_state_filter(self):
        button = self.find("#states button[data-state=available]")
        button.click()
        def same():
            states = self.script("return [...document.querySelectorAll('#rows tr')].map((row) => row.querySelector('.state').textContent)")
            return self.is_idle() and button.get_attribute("aria-pressed") == "true" and set(states) <= {"available"}
        self.wait("only available shards", same)
        self.find("#states button[data-state='']").click()
        self.wait("all shards", lambda: self.is_idle() and button.get_attribute("aria-pressed") == "false")

    def test_hostile_keys_are_text(self):
        self.driver.execute_script("scrollTo(0, 0)")
        needle = "page-test" if self.made else "<"
        shards = self.first("limit=50&search=" + quote(needle))["shards"]
        assert shards, "the store has no hostile key; give --source"
        field = self.find("#search")
        field.send_keys(needle)
        self.wait("the hostile keys", lambda: self.keys() == [shard["key"] for shard in shards])
        assert self.script("return document.querySelectorAll('main script, main img, main iframe').length") == 0, "a key became an element"
        for shard in shards[:8]:
            key = shard["key"]
            self.script("location.hash = arguments[0]", "#/shard/" + quote(key, safe=""))
            self.wait(f"the page of {key!r}", lambda: self.text("#shard-state") != "" and self.find("#shard").is_displayed())
            shown = self.text("#shard-key")
            inner = key.strip(" ")
            start = key.index(inner) if inner else len(key)
            visible = "".join(f"\\u{{{ord(c):X}}}" if not c.isprintable() or not start <= at < start + len(inner) else c for at, c in enumerate(key))
            assert shown == visible, f"the page shows {shown!r} for {key!r}"
            assert self.script("return document.querySelectorAll('main script, main img, main iframe').length") == 0, "a key became an element"
        assert not self.script("return window.pwned"), "a key ran as a script"
        self.shot("hostile")
        self.script("location.hash = '#/'")
        self.wait("the list", lambda: self.find("#list").is_displayed())
        self.find("#search").clear()
        self.find("#search").send_keys(Keys.ENTER)
        self.wait("all rows", lambda: self.is_idle() and len(self.keys()) > 0)

    def test_shard_by_keyboard(self):
        self.script("document.activeElement.blur(); scrollTo(0, 0)")
        self.press(Keys.TAB)
        self.tab_to("#rows a")
        key = self.script("return decodeURIComponent(document.activeElement.getAttribute('href').slice(8))")
        self.press(Keys.ENTER)
        self.wait("the page of the shard", lambda: self.find("#shard").is_displayed() and self.text("#shard-state") != "")
        assert self.script("return document.activeElement.id") == "shard-key", "the heading has no focus"
        self.shot("shard")
        self.tab_to("#do-destroy")
        self.press(Keys.ENTER)
        self.wait("the dialog", lambda: self.script("return document.querySelector('dialog').open"))
        assert self.script("return document.querySelector('dialog .named').textContent.length > 0"), "the dialog does not name the shard"
        self.shot("dialog")
        self.script("document.querySelector('dialog input').focus()")
        self.press(Keys.ENTER)
        self.wait("the refusal without a confirmation", lambda: self.text("dialog .wrong") != "")
        self.press(Keys.ESCAPE)
        self.wait("the end of the dialog", lambda: not self.script("return document.querySelector('dialog').open"))
        assert self.script("return document.activeElement.id") == "do-destroy", "the focus does not return"
        assert self.api("GET", "/v1/shards/" + quote(key, safe=""))["key"] == key, "the shard is gone"
        self.driver.back()
        self.wait("the list", lambda: self.find("#list").is_displayed())

    def test_unknown_shard(self):
        self.script("location.hash = '#/shard/no%20such%20shard%20%3Cb%3E'")
        self.wait("the error", lambda: "shardUnknown" in self.text("#shard-body"))
        self.script("location.hash = '#/'")
        self.wait("the list", lambda: self.find("#list").is_displayed())

    def test_log_level(self):
        level = self.api("GET", "/v1/node")["logLevel"]
        self.wait("the log level", lambda: Select(self.find("#log-level")).first_selected_option.text == level)
        self.find("#level button").click()
        self.wait("the outcome", lambda: f"The log level is {level}." in self.text("#outcomes"))
        self.find("#outcomes button").click()

    def test_events(self):
        self.wait("the stream of events", lambda: self.text("#stream") == "live")
        if not self.made:
            return
        key = HOSTILE[0] + " event"
        self.script("document.activeElement.blur()")
        ActionChains(self.driver).move_to_element(self.find("h1")).perform()
        self.api("POST", "/v1/shards", {"key": key, "source": self.options.source, "lazy": True})
        self.made.append(key)
        self.wait("the event", lambda: key in self.script("return [...document.querySelectorAll('#events a')].map((a) => a.title)"))

    def test_widths(self):
        for width in (360, 800, 1440):
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
            over = self.script("return document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"the page is {over} pixels too wide at {width}"
            cut = self.script("""return [...document.querySelectorAll("section, article, details, form, table, tr, button, input, select, h1, h2")].filter((element) =>
                element.checkVisibility() && !element.closest(".unseen") && element.getBoundingClientRect().right > innerWidth).map((element) => element.outerHTML.slice(0, 80))""")
            assert not cut, f"at {width} pixels, elements end outside of the page: {cut[:3]}"
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def test_labels(self):
        bare = self.script("""return [...document.querySelectorAll("input, select, button, a, textarea")].filter((element) =>
            !element.closest("[hidden]") && !element.labels?.length && !element.getAttribute("aria-label") && !element.textContent.trim()).map((element) => element.outerHTML)""")
        assert not bare, f"elements without a name: {bare}"
        levels = self.script("return [...document.querySelectorAll('h1, h2, h3')].filter((h) => h.checkVisibility()).map((h) => Number(h.tagName[1]))")
        assert levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:])), f"headings skip a level: {levels}"

    def test_no_request_leaves_the_origin(self):
        self.collect()
        assert len(self.requests) > 5, "no requests were seen"
        foreign = [url for url in self.requests if not url.startswith(self.origin + "/") and not url.startswith("data:")]
        assert not foreign, f"requests to {foreign}"
        assert not self.token or not any(self.token in url for url in self.requests), "a URL has the token"

    def test_console_is_clean(self):
        faults = self.script("return window.faults")
        assert not faults, f"the page reports {faults}"
        # Chromium logs each answer 401 and 404; the test asks for these itself.
        expected = ("status of 401", "status of 404")
        errors = [entry["message"] for entry in self.collect()
                  if entry["level"] in ("SEVERE", "WARNING") and not (entry["source"] == "network" and any(part in entry["message"] for part in expected))]
        assert not errors, f"the console has {errors}"

    def test_reload_forgets_the_token(self):
        if not self.token:
            return
        self.driver.refresh()
        self.wait("the token form", lambda: self.find("#gate").is_displayed())

    def run(self):
        try:
            if self.options.source:
                for key in HOSTILE:
                    try:
                        self.api("POST", "/v1/shards", {"key": key, "source": self.options.source, "lazy": True})
                    except urllib.error.HTTPError as error:
                        if json.load(error)["error"]["code"] != "shardExists":
                            raise
                    self.made.append(key)
            for name in [name for name in type(self).__dict__ if name.startswith("test_")]:
                try:
                    start = time.monotonic()
                    getattr(self, name)()
                    self.passed += 1
                    print(f"ok    {name} ({time.monotonic() - start:.1f} s)", flush=True)
                except Exception as error:  # each check reports, and the next ones run
                    self.failed += 1
                    print(f"FAIL  {name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", flush=True)
                    if os.environ.get("PAGE_TEST_TRACE"):
                        traceback.print_exc()
                    self.shot("fail-" + name)
        finally:
            self.driver.quit()
            for key in self.made:
                try:
                    self.api("DELETE", "/v1/shards/" + quote(key, safe=""))
                except urllib.error.URLError as error:
                    print(f"the test shard {key!r} stays: {error}", file=sys.stderr)
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("base")
parser.add_argument("token")
parser.add_argument("--source", help="a CAR that the node can register, for shards with hostile keys")
parser.add_argument("--shots", help="a folder for screenshots")
sys.exit(Check(parser.parse_args()).run())
