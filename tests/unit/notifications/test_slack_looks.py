"""What the doctor asks of Slack: who the token is, and which channels it sees."""

from typing import Any
from unittest.mock import Mock

import pytest
from pydantic import SecretStr

from interlock.errors import SlackUnavailableError
from interlock.notifications.slack import Slack


def slack(*answers: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[Slack, Mock]:
    own = Slack(SecretStr("xoxb-1"))
    call = Mock(side_effect=[Mock(data=answer, headers=headers or {}) for answer in answers])
    own._client = Mock(api_call=call)
    return own, call


def test_the_scopes_are_what_slacks_header_says() -> None:
    who, _ = slack({"team": "T", "user": "interlock"}, headers={"X-OAuth-Scopes": "chat:write, channels:read"})
    assert who.identity().scopes == frozenset({"chat:write", "channels:read"})
    silent, _ = slack({"team": "T", "user": "interlock"})
    assert silent.identity().scopes is None


def test_channels_are_read_to_the_last_page_and_known_by_name_and_id() -> None:
    first = {"channels": [{"id": "C1", "name": "a", "is_member": True}], "response_metadata": {"next_cursor": "n"}}
    second = {"channels": [{"id": "C2", "name": "b", "is_member": False}], "response_metadata": {"next_cursor": ""}}
    own, call = slack(first, second)
    assert own.channels() == {"#a": True, "C1": True, "#b": False, "C2": False}
    assert [each.kwargs["data"]["cursor"] for each in call.call_args_list] == ["", "n"]
    assert "private_channel" in call.call_args.kwargs["data"]["types"]


def test_a_list_without_an_end_is_given_up_rather_than_judged_by_its_beginning() -> None:
    endless = {"channels": [], "response_metadata": {"next_cursor": "more"}}
    own, _ = slack(*[endless] * 10)
    with pytest.raises(SlackUnavailableError, match="not all were read"):
        own.channels()
