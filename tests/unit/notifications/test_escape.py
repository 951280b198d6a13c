import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.notifications.escape import clean, code, escape, escape_within, link, one_line, web_address


def test_slacks_control_sequences_become_words() -> None:
    assert escape("<!channel> <@U1> <http://evil|good> a & b") == (
        "&lt;!channel&gt; &lt;@U1&gt; &lt;http://evil|good&gt; a &amp; b"
    )


@given(st.text(), st.integers(2, 60))
def test_escaped_text_keeps_its_limit_and_cuts_no_entity(text: str, limit: int) -> None:
    escaped = escape_within(text, limit)
    assert len(escaped) <= limit
    assert not re.search(r"&(?!amp;|lt;|gt;)|[<>]", escaped)


def test_terminal_escapes_direction_marks_and_broken_surrogates_are_dropped() -> None:
    assert clean("a\x1b[31mb\u202ec\ud800d\u200be\x00") == "a[31mbcde"


def test_a_value_stays_on_one_line() -> None:
    assert one_line(" ok\r\nStatus: Succeeded\t!") == "ok Status: Succeeded !"


def test_a_backtick_does_not_end_the_code() -> None:
    assert code("a`b", 10) == "`a'b`"


@pytest.mark.parametrize(
    ("given_text", "address"),
    [
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
        ("app-1.eu-west-1.elb.amazonaws.com", "http://app-1.eu-west-1.elb.amazonaws.com"),
        ("http://x/|y>z <", "http://x/%7Cy%3Ez%20%3C"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("http://[broken", None),
        ("see the console", None),
        ("https://example.com/" + "a" * 3000, None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links(given_text: str | None, address: str | None) -> None:
    assert web_address(given_text) == address


@given(st.text())
def test_no_address_ends_its_link_early(text: str) -> None:
    address = web_address(f"https://example.com/{text}")
    assert address is None or re.fullmatch(r"<[^<>|]+\|here>", link(address, "here"))
