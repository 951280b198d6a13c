"""Templates from the network: listed hosts alone, whatever they redirect to."""

from collections.abc import Callable, Iterator
from functools import partial
from unittest.mock import patch

import httpx
import pytest

from interlock.cloudformation import templates
from interlock.errors import InvalidRequestError

Answer = Callable[[httpx.Request], httpx.Response]
asked: list[str] = []


def answer(request: httpx.Request) -> httpx.Response:
    asked.append(str(request.url))
    pages = {
        "/t.yaml": httpx.Response(200, text="Resources: {}"),
        "/moved": httpx.Response(302, headers={"location": "/t.yaml"}),
        "/away": httpx.Response(302, headers={"location": "https://169.254.169.254/latest/meta-data"}),
        "/plain": httpx.Response(302, headers={"location": "http://good.example/t.yaml"}),
        "/round": httpx.Response(302, headers={"location": "/round"}),
        "/large": httpx.Response(200, text="x" * 1_000_001),
    }
    return pages.get(request.url.path, httpx.Response(404))


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    asked.clear()
    with patch("httpx.Client", partial(httpx.Client, transport=httpx.MockTransport(answer))):
        yield


def load(path: str) -> str:
    return templates.load(f"https://good.example{path}", allowed_hosts=["good.example"]).body


@pytest.mark.parametrize("path", ["/t.yaml", "/moved"])
def test_a_listed_host_is_asked_and_may_redirect_to_itself(path: str) -> None:
    assert load(path) == "Resources: {}"


@pytest.mark.parametrize("path", ["/away", "/plain"])
def test_a_redirect_to_anybody_else_is_not_followed(path: str) -> None:
    with pytest.raises(InvalidRequestError, match="INTERLOCK_TEMPLATE_HOSTS"):
        load(path)
    assert asked == [f"https://good.example{path}"]


@pytest.mark.parametrize(("path", "words"), [("/round", "too often"), ("/large", "longer than"), ("/missing", "404")])
def test_what_cannot_be_read_is_a_problem_of_the_request(path: str, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        load(path)


def test_a_signature_in_the_address_is_not_repeated() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        load("/missing?X-Amz-Signature=hunter2")
    assert "hunter2" not in str(caught.value)
