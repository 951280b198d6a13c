"""What there is to see after the play: records, messages, AWS's own request log, what is still held."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from deployments.demo.parts import PARTS, Part
from deployments.rehearsal_system import RehearsalSystem
from interlock.cli.outcome import Outcome
from interlock.models.deployment import Deployment
from interlock.models.notice import Notice, NoticeKind
from interlock.plain_http import NO_CERTIFICATES

Json = dict[str, Any]
_SETTLE_SECONDS = 10.0
"""An outcome is told just before the hold and the slot are given back."""


@dataclass(frozen=True)
class Seen:
    """One deployment as its record, its notices and the channel show it."""

    outcome: Outcome
    record: Deployment
    notices: tuple[Notice, ...]
    parents: tuple[Json, ...]
    replies: tuple[Json, ...]

    @property
    def edits(self) -> int:
        return sum(len(parent["edits"]) for parent in self.parents)

    def notice(self, kind: NoticeKind) -> Notice | None:
        return next((notice for notice in self.notices if notice.kind is kind), None)

    def reply(self, words: str) -> str | None:
        return next((reply["text"] for reply in self.replies if words in reply["text"]), None)

    @property
    def first_words(self) -> str:
        """The parent message as it was posted."""
        parent = self.parents[0]
        return str((parent["edits"] or [parent])[0]["text"])


@dataclass(frozen=True)
class Evidence:
    seen: Mapping[Part, Seen]
    operations: tuple[Json, ...]
    """Of the simulated CloudFormation, oldest first: stack, token, started, ended (seconds since 1970)."""
    executions: tuple[Json, ...]
    """Every ExecuteChangeSet of AWS's request log."""
    left_over: tuple[str, ...]
    """What is still held or queued."""


def gather(system: RehearsalSystem, outcomes: Mapping[Part, Outcome]) -> Evidence:
    messages = system.slack.messages()
    return Evidence(
        seen={part: _seen(system, outcomes[part], messages) for part in PARTS},
        operations=tuple(sorted(system.aws.operations(), key=lambda operation: operation["started"])),
        executions=tuple(call for call in system.aws.log() if call["action"] == "ExecuteChangeSet"),
        left_over=_left_over_at_last(system),
    )


def _seen(system: RehearsalSystem, outcome: Outcome, messages: list[Json]) -> Seen:
    record = system.registry.deployments.get(outcome.correlation_id or "")
    parents = [each for each in messages if not each["thread_ts"] and record.correlation_id in each["text"]]
    threads = {parent["ts"] for parent in parents}
    rows = system.registry.outbox.rows(record.correlation_id)
    return Seen(
        outcome=outcome,
        record=record,
        notices=tuple(row.notice for row in rows),
        parents=tuple(parents),
        replies=tuple(each for each in messages if each["thread_ts"] in threads),
    )


def _left_over_at_last(system: RehearsalSystem) -> tuple[str, ...]:
    deadline = time.monotonic() + _SETTLE_SECONDS
    while (found := tuple(_left_over(system))) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def _left_over(system: RehearsalSystem) -> Iterator[str]:
    for name, environment in system.environments.items():
        if _active_slots(system, environment.slot_name):
            yield f"the slot {environment.slot_name} is taken"
        if hold := system.registry.holds.current(name):
            yield f"{name} is held by {hold.owner}"
        for ticket in system.registry.queue.waiting(name):
            yield f"{ticket.correlation_id} still waits for {name}"


def _active_slots(system: RehearsalSystem, slot: str) -> int:
    answer = httpx.get(f"{system.api_url}/v2/concurrency_limits/{slot}", trust_env=False, verify=NO_CERTIFICATES)
    if answer.status_code == HTTPStatus.NOT_FOUND:  # no deployment has come so far as to make it
        return 0
    return int(answer.raise_for_status().json()["active_slots"])
