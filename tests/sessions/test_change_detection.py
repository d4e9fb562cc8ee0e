"""Which uses of a session are changes, and what a commit then writes."""

import operator
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from sessions import Session, SessionTooLarge
from sessions.errors import UnencodableValue
from tests.sessions.conftest import SiteMaker
from tests.support.apps import Browser, everything, untouched, writes

STORED: dict[str, Any] = {
    "number": 1,
    "text": "one",
    "cart": [1, [2, {"three": 3}]],
    "user": {"name": "ada", "tags": {"a", "b"}, "by number": {1: "one"}},
    "pair": ([], {}),
}

Act = Callable[[Any], object]

READS: dict[str, Act] = {
    "nested": lambda s: (s["cart"][1][1]["three"], sorted(s["user"]["tags"]), s["pair"][0]),
    "get": lambda s: (s.get("text"), s.get("missing"), s.get("missing", [])),
    "pop of a missing key": lambda s: s.pop("missing", None),
    "setdefault of an existing key": lambda s: s.setdefault("cart", []),
    "in": lambda s: ("cart" in s, "missing" in s),
    "views": lambda s: (len(s), list(s), list(s.keys()), list(s.values()), list(s.items())),
    "comparison": lambda s: s == {},
    "a copy that is changed": lambda s: dict(s).clear(),
    "an equal value": lambda s: s.update(number=1, text="one", cart=[1, [2, {"three": 3}]]),
    "change and back": lambda s: (s["cart"].append(9), s["cart"].pop()),
    "delete and back": lambda s: s.update(number=s.pop("number")),
}

WRITES: dict[str, Act] = {
    "assignment": lambda s: operator.setitem(s, "number", 2),
    "another type": lambda s: operator.setitem(s, "number", True),
    "del": lambda s: operator.delitem(s, "number"),
    "pop": lambda s: s.pop("number"),
    "clear": lambda s: s.clear(),
    "update": lambda s: s.update({"number": 2}, text="two"),
    "|=": lambda s: s.__ior__({"number": 2, "new": [1]}),
    "setdefault of a missing key": lambda s: s.setdefault("new", []).append(1),
    "nested append": lambda s: s["cart"].append(4),
    "deeply nested": lambda s: s["cart"][1][1].update(three=33),
    "nested set": lambda s: s["user"]["tags"].add("c"),
    "dict with other keys": lambda s: s["user"]["by number"].update({2: "two"}),
    "list in a tuple": lambda s: s["pair"][0].append(1),
    "through get": lambda s: s.get("cart", []).insert(0, 0),
    "through values": lambda s: [v.pop() for v in s.values() if type(v) is list],
    "alias": lambda s: (s.update(alias=s["cart"]), s["cart"].append(5)),
}


@pytest.fixture
def customer(browser: Browser) -> Browser:
    """Return a browser whose session holds the values, with the store's calls forgotten."""
    browser.visit(lambda session: session.update(deepcopy(STORED)))
    browser.site.store_calls().clear()
    return browser


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_reading_is_not_a_change(customer: Browser, read: Act) -> None:
    """There is no write and no cookie, and the data are the same afterwards."""
    answer = customer.visit(read)

    assert customer.site.store_calls() == ["load"]
    assert answer.set_cookies == []
    assert customer.holds() == STORED


def test_pop_of_a_missing_key_without_a_default_raises(customer: Browser) -> None:
    """pop() raises KeyError as a dict does, and changes nothing."""
    for act in (lambda s: s.pop("missing"), lambda s: s["missing"], lambda s: s.__delitem__("x")):
        with pytest.raises(KeyError):
            customer.visit(act)

    assert customer.holds() == STORED


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_change_is_saved(customer: Browser, write: Act) -> None:
    """There is one commit without a cookie, and the next request sees what a dict would hold."""
    expected = deepcopy(STORED)
    write(expected)

    answer = customer.visit(write)

    assert customer.site.store_calls() == ["load", "commit"]
    assert answer.set_cookies == []
    assert customer.holds() == expected


def test_popitem_removes_one_item(customer: Browser) -> None:
    """The returned item is removed, and all others stay."""
    key, value = customer.visit(lambda session: session.popitem()).value

    left = customer.holds()
    assert key not in left
    assert {**left, key: value} == STORED


def test_a_commit_has_only_changed_values(customer: Browser) -> None:
    """A value that was only read is not written, even if it is nested."""
    customer.visit(lambda s: (READS["nested"](s), s["user"].update(name="eve"), s.pop("text")))

    (changes,) = customer.site.store.commits
    assert set(changes.set) == {"user"}
    assert changes.removed == {"text"}


def test_a_value_that_cannot_be_encoded_names_its_key(customer: Browser) -> None:
    """The commit raises the error, and the stored session is unchanged."""
    with pytest.raises(
        UnencodableValue, match=r"session\['odd'\] cannot be saved: it holds an obj"
    ):
        customer.visit(lambda s: s.update(number=2, odd=[{"deep": object()}]))

    assert customer.holds() == STORED


def test_an_unencodable_first_value_leaves_nothing(browser: Browser) -> None:
    """If a new session cannot be saved as a whole, no record is created."""
    with pytest.raises(UnencodableValue, match="'odd'"):
        browser.visit(writes(fine=1, odd=object()))

    assert browser.site.store_calls() == []


def test_save_raises_the_error_inside_the_handler(customer: Browser) -> None:
    """The handler can correct the value and save again."""

    def handler(session: Session) -> None:
        session["odd"] = object()
        with pytest.raises(UnencodableValue, match="odd"):
            session.save()
        session["odd"] = "text"

    assert customer.visit(handler).status == 200
    assert customer.holds() == {**STORED, "odd": "text"}


def test_swallowing_the_error_of_save_saves_nothing(customer: Browser) -> None:
    """The end of the request raises the same error again."""

    def handler(session: Session) -> None:
        session.update(number=2, odd=object())
        with pytest.raises(UnencodableValue):
            session.save()

    with pytest.raises(UnencodableValue):
        customer.visit(handler)
    assert customer.holds() == STORED


def test_a_key_that_is_not_a_text_for_a_store_is_refused(customer: Browser) -> None:
    """A key with a lone surrogate is refused, and the error names it."""
    with pytest.raises(UnencodableValue, match=r"session\['\\ud800'\] cannot be saved"):
        customer.visit(writes(**{"\ud800": 1}))

    assert customer.holds() == STORED


def test_a_session_that_grows_too_large_names_its_biggest_value(customer: Browser) -> None:
    """The limit is 64 KiB, and the stored session is unchanged."""
    with pytest.raises(SessionTooLarge, match=r"65536 are allowed.*session\['photo'\] with 70005"):
        customer.visit(writes(photo=b"x" * 70_000, small=1))

    assert customer.holds() == STORED


def test_the_size_limit_is_exact(browser: Browser) -> None:
    """65,536 bytes of keys and encoded values are accepted, and one more byte is not."""
    # One byte for the key and three for the length of the text.
    browser.visit(writes(a="x" * (65_536 - 4)))

    with pytest.raises(SessionTooLarge, match="65537 bytes"):
        browser.visit(writes(a="x" * (65_536 - 3)))
    assert len(browser.holds()["a"]) == 65_532


def test_a_key_counts_with_all_its_bytes(browser: Browser) -> None:
    """A character of a key can have up to four bytes."""
    key = "\N{GRINNING FACE}" * 16_384

    with pytest.raises(SessionTooLarge, match="65537 bytes"):
        browser.visit(lambda session: session.update({key: 1}))


def test_a_value_that_cannot_be_saved_counts_as_a_change(browser: Browser) -> None:
    """`modified` is true for a value that cannot be saved."""

    def handler(session: Session) -> bool:
        session["a"] = object()
        modified = session.modified
        del session["a"]
        return modified

    assert browser.visit(handler).value is True


@pytest.mark.parametrize("saves", [1, 2, 3])
def test_save_then_the_end_is_one_write(customer: Browser, saves: int) -> None:
    """Repeated saves of an unchanged session write nothing more."""

    def handler(session: Session) -> None:
        session["number"] = 2
        for _ in range(saves):
            session.save()

    customer.visit(handler)

    assert customer.site.store_calls() == ["load", "commit"]
    assert customer.holds() == {**STORED, "number": 2}


def test_a_change_after_save_is_a_second_write(customer: Browser) -> None:
    """The second write has only this change."""

    def handler(session: Session) -> None:
        session["number"] = 2
        session.save()
        session["cart"].append(6)

    customer.visit(handler)

    assert [set(changes.set) for changes in customer.site.store.commits] == [{"number"}, {"cart"}]
    assert customer.holds() == {**STORED, "number": 2, "cart": [1, [2, {"three": 3}], 6]}


def test_a_new_session_that_was_saved_is_not_saved_again(browser: Browser) -> None:
    """There is one creation and one cookie."""

    def handler(session: Session) -> bool:
        session["a"] = [1]
        session.save()
        return session.modified

    answer = browser.visit(handler)

    assert answer.value is False
    assert browser.site.store_calls() == ["create"]
    assert len(answer.set_cookies) == 1
    assert browser.holds() == {"a": [1]}


def test_resave_commits_an_unchanged_session_but_no_value(make_site: SiteMaker) -> None:
    """The commit has no value, so it cannot undo a write of another request."""
    site = make_site(resave=True)
    browser = site.browser()
    browser.visit(writes(a=1))
    site.store_calls().clear()

    browser.visit(everything)
    browser.visit(untouched)

    assert site.store_calls() == ["load", "commit"]
    assert [(changes.set, changes.removed) for changes in site.store.commits] == [({}, frozenset())]


def test_save_uninitialized_stores_a_session_that_nobody_changed(make_site: SiteMaker) -> None:
    """Every visitor gets a record and a cookie, once."""
    browser = make_site(save_uninitialized=True).browser()

    first, second = browser.visit(untouched), browser.visit(untouched)

    assert (len(first.set_cookies), second.set_cookies) == (1, [])
    assert browser.site.store_calls() == ["create", "load"]


def test_save_uninitialized_begins_nothing_after_a_logout(make_site: SiteMaker) -> None:
    """The answer clears the cookie, and the next answer sets a new one."""
    browser = make_site(save_uninitialized=True).browser()
    browser.visit(untouched)

    answer = browser.visit(Session.destroy)

    assert answer.clears
    assert browser.site.store_calls() == ["create", "delete"]
