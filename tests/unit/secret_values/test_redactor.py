"""What a process has learnt is in nothing that it tells."""

import base64
import html
import json
import threading
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from interlock.secret_values.redactor import SHORTEST, Redactor

SECRETS = st.text(min_size=SHORTEST).filter(lambda text: set(text) != {"*"} and text.lower() not in ("true", "false"))


def knowing(*values: str) -> Redactor:
    redactor = Redactor()
    redactor.learn(values)
    return redactor


@given(st.lists(SECRETS, min_size=1, max_size=5), st.lists(st.text(), min_size=1, max_size=6))
def test_no_text_with_planted_values_comes_out_with_one(secrets: list[str], around: list[str]) -> None:
    text = "".join(part + secrets[index % len(secrets)] for index, part in enumerate(around))
    clean = knowing(*secrets).redact(text)
    assert not [secret for secret in secrets if secret in clean]


@given(st.lists(SECRETS, max_size=5), st.text())
def test_redaction_is_idempotent(secrets: list[str], text: str) -> None:
    redactor = knowing(*secrets)
    once = redactor.redact(text + "".join(secrets))
    assert redactor.redact(once) == once


@given(SECRETS)
def test_the_usual_ways_of_writing_it_are_known_too(secret: str) -> None:
    redactor = knowing(secret)
    bytes_of_it = secret.encode(errors="surrogatepass")
    for form in (
        json.dumps({"a": secret}),
        json.dumps({"a": secret}, ensure_ascii=False),
        f"?a={quote(bytes_of_it, safe='')}&b",
        f"<b>{html.escape(secret)}</b>",
        f"Basic {base64.b64encode(bytes_of_it).decode()}",
    ):
        assert redactor.redact(form) != form


@given(st.text())
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert knowing("correct horse battery staple").redact(text) == text


def test_a_secret_that_begins_another_leaves_no_end_of_it() -> None:
    assert knowing("hunter", "hunter2-the-long-one").redact("pw=hunter2-the-long-one") == "pw=****"


def test_taking_one_out_may_uncover_another() -> None:
    assert "ab****cd" not in knowing("ab****cd", "secret").redact("absecretcd")


@pytest.mark.parametrize("value", ["", "a", "abc", "true", "False", "****"])
def test_what_is_in_every_line_is_not_looked_for(value: str) -> None:
    assert knowing(value).redact("a true abc **** False line") == "a true abc **** False line"


def test_a_line_of_a_key_and_a_member_of_a_document_are_secret_too() -> None:
    redactor = knowing("-----BEGIN KEY-----\nMIIEvQIBADAN\n", '{"user": "app", "password": "correct horse"}')
    assert redactor.redact("MIIEvQIBADAN correct horse app") == "**** **** app"


def test_keys_of_a_document_stay() -> None:
    document: JsonValue = {"hunter2": ["a hunter2", {"b": 7, "c": "hunter2"}], "d": None}
    assert knowing("hunter2").redact_json(document) == {"hunter2": ["a ****", {"b": 7, "c": "****"}], "d": None}


def test_threads_may_learn_and_redact_at_once() -> None:
    redactor = Redactor()
    threads = [threading.Thread(target=redactor.learn, args=([f"secret-{number}"],)) for number in range(40)]
    for thread in threads:
        thread.start()
        redactor.redact("secret-1 secret-39")
    for thread in threads:
        thread.join()
    assert "secret-" not in redactor.redact(" ".join(f"secret-{number}" for number in range(40)))
