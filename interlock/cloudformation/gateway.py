"""CloudFormation as Interlock uses it: values out, Interlock's errors out, nothing else.

Reads may be repeated freely. A call that changes something is sent once per attempt, each attempt right after `guard`,
and is safe to repeat: an earlier attempt may have been applied though its answer was lost.
"""

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, Self

from interlock.cloudformation import answers, aws_errors, drift_answers
from interlock.cloudformation.aws_errors import translated, unavailable
from interlock.cloudformation.change_set_arguments import create_arguments
from interlock.cloudformation.read_budget import ReadBudget
from interlock.cloudformation.templates import Template
from interlock.errors import (
    CloudFormationRefusedError,
    CloudFormationUnavailableError,
    InterlockError,
    StackBusyError,
)
from interlock.models.drift import DriftDetection, ResourceDrift
from interlock.models.environment import Environment
from interlock.models.stack import ChangeSet, Operation, Stack, StackEvent

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

Redact = Callable[[str], str]

Guard = Callable[[], None]
"""Called right before each request that changes something: raises (HoldLostError) when our fence has been overtaken."""

_SECOND_LOOK_SECONDS = 0.2
_LOOKS_AGE_AFTER_SECONDS = 30
_LOOKS_FOR_TOKEN = 4
_RECENT_EVENTS = 200
_PAUSE_SECONDS = 0.5
_PAUSES_SECONDS = (0.5, 2.0)


def _at_once() -> None:
    """The turn of reads that belong to a change: those never wait for the budget."""


@dataclass(frozen=True)
class _Look:
    """What a look at a stack saw, and when."""

    stack: Stack | None
    at: float = field(default_factory=time.monotonic)

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.at

    @property
    def is_absence_known(self) -> bool:
        """Old enough to be another look than the next one, young enough to be of the same stack."""
        return self.stack is None and _SECOND_LOOK_SECONDS <= self.age_seconds < _LOOKS_AGE_AFTER_SECONDS


class CloudFormation:
    """One environment's CloudFormation. `changing_client` must not retry by itself (see clients.py). `redact` takes the
    secrets out of reasons, outputs and errors; outputs that are named like secrets are masked whatever they hold.

    Every method raises CloudFormationUnavailableError (nothing is known), CloudFormationRefusedError or
    AwsCredentialsError; those that change something also StackBusyError and StackNeedsRecoveryError.
    """

    def __init__(
        self,
        client: "CloudFormationClient",
        *,
        environment: str | None = None,
        changing_client: "CloudFormationClient | None" = None,
        budget: ReadBudget | None = None,
        sleep: Callable[[float], None] = time.sleep,
        redact: Redact = str,
    ) -> None:
        self._client = client
        self._changing_client = changing_client or client
        self._environment = environment
        self._sleep = sleep
        self._budget = budget or ReadBudget(sleep=sleep)
        self._redact = self._redact_answer = redact
        self._looks: dict[str, _Look] = {}

    def withholding(self, instead: str) -> Self:
        """The same for who does not know the stack's secrets: every reason and output that AWS gives is `instead`."""
        other = copy.copy(self)
        other._redact_answer, other._looks = lambda _text: instead, {}  # noqa: SLF001 - it is of this class
        return other

    # --- reading -----------------------------------------------------------------------------------------------------

    def stack(self, name_or_id: str, *, certain: bool = True, max_age_seconds: float = 0) -> Stack | None:
        """The stack, or None when two looks agree that there is none. A deleted one is found by its id alone.

        Where nothing is decided by it: not `certain` takes one look's word for "none", and `max_age_seconds` takes an
        earlier look's word for everything.
        """
        before = self._looks.get(name_or_id)
        if before and before.age_seconds < max_age_seconds:
            return before.stack
        found = self._look(name_or_id)
        if found is None and certain and not (before and before.is_absence_known):
            self._sleep(_SECOND_LOOK_SECONDS)
            found = self._look(name_or_id)
        return found

    @property
    def has_reads_to_spare(self) -> bool:
        """Whether the budget of reads allows one more now, beside those that matter."""
        return self._budget.has_spare

    def events(
        self, stack_id: str, *, after: str | None = None, not_before: datetime | None = None
    ) -> list[StackEvent]:
        """The stack's events, oldest first: those younger than the event of id `after` and no older than `not_before`."""

        def is_new(event: StackEvent) -> bool:
            return event.event_id != after and (not_before is None or event.timestamp >= not_before)

        return list(takewhile(is_new, self._in_turn(stack_id)))[::-1]

    def events_of_operation(self, stack_id: str, token: str, *, not_before: datetime | None = None) -> list[StackEvent]:
        """The operation that this token started: from its first line to its last, oldest first; empty while unseen.

        All lines in between belong to it, whoever's token they carry: a stranger may have cancelled or deleted.
        Looks back no further than `not_before`. A continued rollback begins in the middle of what an operation is
        otherwise, and is known by what came before: the end of another one.
        """
        since: list[StackEvent] = []
        for event in self._in_turn(stack_id):
            if not_before and event.timestamp < not_before:
                break
            if event.is_of_the_stack and event.state.is_terminal:
                if _is_continued_rollback(since, token):
                    break
                since.clear()  # what came after this line is another operation's
            since.append(event)
            if event.is_of(token) and event.is_of_the_stack and event.state.begins_operation:
                return since[::-1]
        return since[::-1] if _is_continued_rollback(since, token) else []

    def newest_event_id(self, stack_id: str) -> str | None:
        """The end of the stack's log as it is now; None if it has none (AWS keeps events for 90 days)."""
        return next((event.event_id for event in self._newest_first(stack_id)), None)

    def latest_operation(self, stack: Stack) -> Operation | None:
        """The operation that the stack's own events last speak of: ours or a stranger's, by its token."""
        newest = oldest = None
        for event in self._newest_first(stack.stack_id):
            if not event.is_of_the_stack or event.state.is_review:
                continue
            if newest is not None and event.state.is_terminal:
                break
            newest, oldest = newest or event, event
            if event.state.begins_operation:
                break
        return (
            Operation(token=newest.token, started_at=oldest.timestamp, status=newest.status)
            if newest and oldest
            else None
        )

    def change_set(self, arn: str) -> ChangeSet:
        """The change set with all its changes. CloudFormationRefusedError (ChangeSetNotFound) when there is none."""
        return self._described(ChangeSetName=arn)

    def change_set_arns(self, stack_id: str) -> list[str]:
        """The change sets of a stack that still exist."""
        summaries = self._pages("list_change_sets", "Summaries", StackName=stack_id)
        return [answers.part(summary, "ChangeSetId") for summary in summaries]

    def validate_template(self, template: Template) -> None:
        """CloudFormationRefusedError when CloudFormation does not take the template."""
        self._ask("validate_template", **template.argument)

    def get_template(self, stack: Stack) -> str:
        """The stack's present template, as it was submitted."""
        self._budget.wait_for_turn()
        body = answers.part(
            self._ask("get_template", StackName=stack.stack_id, TemplateStage="Original"), "TemplateBody"
        )
        return body if isinstance(body, str) else json.dumps(body)

    # --- drift: nobody's outcome, so always within the budget of reads ---------------------------------------------------

    def detect_drift(self, stack_id: str) -> str:
        """Have CloudFormation look for what was changed by hand; ask `drift_detection` for what this answers."""
        self._budget.wait_for_turn()
        return str(answers.part(self._ask("detect_stack_drift", StackName=stack_id), "StackDriftDetectionId"))

    def drift_detection(self, detection_id: str) -> DriftDetection:
        self._budget.wait_for_turn()
        answer = self._ask("describe_stack_drift_detection_status", StackDriftDetectionId=detection_id)
        return drift_answers.detection_of(answer)

    def resource_drifts(self, stack_id: str) -> list[ResourceDrift]:
        """The resources that the last detection found changed or gone. What is named like a secret is masked."""
        pages = self._pages(
            "describe_stack_resource_drifts", "StackResourceDrifts", self._budget.wait_for_turn, StackName=stack_id
        )
        drifts = map(drift_answers.resource_drift_of, pages)
        return [each for each in drifts if each]

    # --- changing ----------------------------------------------------------------------------------------------------

    def create_change_set(
        self,
        environment: Environment,
        *,
        name: str,
        template: Template,
        parameters: Mapping[str, str],
        capabilities: Sequence[str],
        tags: Mapping[str, str],
        stack: Stack | None,
        token: str,
        description: str,
        guard: Guard,
        attempt: int = 1,
    ) -> str:
        """Ask for a change set and return its ARN; asked for twice under one name, it is the same one.

        Parameters are passed as they are (never "the previous value"): give only those that the template declares.
        """
        arguments = create_arguments(
            environment, parameters=parameters, capabilities=capabilities, tags=tags, stack=stack, token=token
        )
        arguments |= template.argument | {"ChangeSetName": name, "Description": description[:1024]}
        if attempt > 1:
            arguments["ClientToken"] = f"{token}-{attempt}"
        try:
            return str(answers.part(self._change("create_change_set", guard, **arguments), "Id"))
        except CloudFormationRefusedError as refusal:
            if refusal.code != aws_errors.ALREADY_EXISTS:
                raise
            # The name is ours alone, so an earlier attempt made it and its answer was lost.
            return self._described(StackName=environment.stack_name, ChangeSetName=name).arn

    def execute_change_set(self, change_set: ChangeSet, *, token: str, guard: Guard) -> None:
        """Start the operation. Started before with this token (its answer was lost), it is not an error."""
        try:
            self._change("execute_change_set", guard, ChangeSetName=change_set.arn, ClientRequestToken=token)
        except (StackBusyError, CloudFormationRefusedError):
            if not self._has_begun(change_set.stack_id, token):
                raise

    def delete_change_set(self, arn: str, *, guard: Guard) -> None:
        """Remove a change set that was not executed; one that is gone already is no error."""
        try:
            self._change("delete_change_set", guard, ChangeSetName=arn)
        except CloudFormationRefusedError as refusal:
            if refusal.code != aws_errors.NO_SUCH_CHANGE_SET:
                raise

    def cancel_update(self, stack_id: str, *, token: str, guard: Guard) -> None:
        """Turn a running update back. `token` must be a new one: `<the operation's>-cancel`."""
        try:
            self._change("cancel_update_stack", guard, StackName=stack_id, ClientRequestToken=token)
        except (StackBusyError, CloudFormationRefusedError):
            stack = self.stack(stack_id)
            if stack is None or not stack.state.is_rolling_back:
                raise

    def delete_stack(self, stack_id: str, *, token: str, guard: Guard) -> None:
        """Start the removal of a stack; wait for `stack(stack_id)` to be gone."""
        self._change("delete_stack", guard, StackName=stack_id, ClientRequestToken=token)

    def continue_update_rollback(
        self, stack_id: str, *, token: str, guard: Guard, resources_to_skip: Sequence[str] = ()
    ) -> None:
        """Go on with a rollback that failed. `token` must be a new one, and not begin with the failed operation's."""
        skip = {"ResourcesToSkip": list(resources_to_skip)} if resources_to_skip else {}
        try:
            self._change("continue_update_rollback", guard, StackName=stack_id, ClientRequestToken=token, **skip)
        except (StackBusyError, CloudFormationRefusedError):
            if not self._has_begun(stack_id, token):
                raise

    # --- the calls themselves ----------------------------------------------------------------------------------------

    def _look(self, name_or_id: str) -> Stack | None:
        found = self._stack(name_or_id)
        self._looks[name_or_id] = _Look(found)
        return found

    def _stack(self, name_or_id: str) -> Stack | None:
        try:
            found = answers.part(self._ask("describe_stacks", StackName=name_or_id), "Stacks")
        except CloudFormationRefusedError as refusal:
            if aws_errors.says_absent(refusal):
                return None
            raise
        if not found:
            raise unavailable("DescribeStacks: an empty answer.", self._environment)
        return answers.stack_of(found[0])

    def _has_begun(self, stack_id: str, token: str) -> bool:
        """Whether the stack's events know the token; they are eventually consistent, so it is asked more than once."""
        for _ in range(_LOOKS_FOR_TOKEN):
            if any(event.is_of(token) for event in islice(self._newest_first(stack_id), _RECENT_EVENTS)):
                return True
            self._sleep(_PAUSE_SECONDS)
        return False

    def _described(self, **which: str) -> ChangeSet:
        pages = [self._ask("describe_change_set", **which)]
        while token := pages[-1].get("NextToken"):
            pages.append(self._ask("describe_change_set", **which, NextToken=token))
        return answers.change_set_of(pages[0], [change for page in pages for change in page.get("Changes", [])])

    def _in_turn(self, stack_id: str) -> Iterator[StackEvent]:
        """As `_newest_first`, each page within the budget of reads: for those who watch."""
        return self._newest_first(stack_id, self._budget.wait_for_turn)

    def _newest_first(self, stack_id: str, turn: Callable[[], None] = _at_once) -> Iterator[StackEvent]:
        return map(answers.event_of, self._pages("describe_stack_events", "StackEvents", turn, StackName=stack_id))

    def _pages(self, operation: str, key: str, turn: Callable[[], None] = _at_once, **arguments: str) -> Iterator[Any]:
        """Lazily: a page is asked for when the one before it is used up, and when it is its `turn`."""
        turn()
        page = self._ask(operation, **arguments)
        yield from answers.part(page, key)
        while token := page.get("NextToken"):
            turn()
            page = self._ask(operation, **arguments, NextToken=token)
            yield from answers.part(page, key)

    def _ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self._answered(self._client, operation, arguments)

    def _change(self, operation: str, guard: Guard, **arguments: Any) -> dict[str, Any]:
        for pause in _PAUSES_SECONDS:
            guard()
            try:
                return self._send(operation, arguments)
            except CloudFormationUnavailableError:
                self._sleep(pause)
        guard()
        return self._send(operation, arguments)

    def _send(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return self._answered(self._changing_client, operation, arguments)

    def _answered(self, client: "CloudFormationClient", operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """AWS's answer or error, redacted: it may quote what the change set was made with."""
        try:
            with translated(self._environment):
                return dict(answers.without_secrets(getattr(client, operation)(**arguments), self._redact_answer))
        except InterlockError as error:
            error.retell(self._redact)
            raise


def _is_continued_rollback(since: Sequence[StackEvent], token: str) -> bool:
    """`since`: the newest first, down to the line after another operation's end."""
    return bool(since) and since[-1].is_of_the_stack and since[-1].state.is_rolling_back and since[-1].token == token
