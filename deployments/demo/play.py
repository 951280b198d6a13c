"""The play: three deployments asked for over Prefect's HTTP API, as CI would, and followed as `interlock deploy` does."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from deployments.demo.parts import BROKEN, FAILING, FAILURE, FIRST, PARTS, SECOND, SLOW, SLOW_SECONDS, Part
from deployments.demo.timeline import Timeline, Voice
from deployments.rehearsal_system import RehearsalSystem
from interlock.cli.carry_out import see_through
from interlock.cli.follow import Follower
from interlock.cli.outcome import Outcome
from interlock.prefect_api import PrefectApi

_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 2.0
_SLOWLY: Mapping[str, object] = {"Seconds": SLOW_SECONDS, "On": ["CREATE"]}
_MESSAGE_LINES = 8
_UNTOLD = ("Environment:", "Status:", "Stack:", "Outputs:", "• ApplicationUrl", "• Table", "• Add ", "• Modify ")
_LINKS = ("Prefect run:", "AWS Console:", "Application URL:")
"""What a message also holds, and a timeline need not."""


class _InterruptedError(Exception):
    """The demo is being left: stop following."""


class Play:
    """Runs once; then the outcomes are known."""

    def __init__(self, system: RehearsalSystem, timeline: Timeline) -> None:
        self._system = system
        self._timeline = timeline
        self._voices = {part.name: Voice(timeline, part) for part in PARTS}
        self._told: set[str] = set()
        self._over = threading.Event()
        self._patience_ends: float | None = None

    def run(self) -> Mapping[Part, Outcome]:
        """Both to production, the second while the first runs; the one to staging beside them."""
        self._system.aws.set_rules([self._rule(BROKEN, FAILING, Fail=FAILURE), self._rule(FIRST, SLOW, **_SLOWLY)])
        with ThreadPoolExecutor(thread_name_prefix="demo") as pool:
            try:
                asked = {FIRST: pool.submit(self._deploy, FIRST)}
                self._look_until(lambda: self._is_under_way(asked[FIRST]))
                asked |= {part: pool.submit(self._deploy, part) for part in (SECOND, BROKEN)}
                self._look_until(lambda: all(future.done() for future in asked.values()))
                return {part: future.result() for part, future in asked.items()}
            finally:
                self._over.set()

    def _rule(self, part: Part, logical_id: str, **behaviour: object) -> dict[str, object]:
        return {"match": f"{self._system.environments[part.environment].stack_name}/{logical_id}", **behaviour}

    def _is_under_way(self, first: "Future[Outcome]") -> bool:
        """Far enough for an estimate, if that is known soon: a late second deployment would not have to wait."""
        voice = self._voices[FIRST.name]
        if self._patience_ends is None and voice.is_deploying.is_set():
            self._patience_ends = time.monotonic() + _PATIENCE_SECONDS
        is_over = self._patience_ends is not None and time.monotonic() > self._patience_ends
        return first.done() or voice.has_progress.is_set() or is_over

    def _deploy(self, part: Part) -> Outcome:
        api = PrefectApi(self._system.environment())
        deployment = api.deployment_id(part.environment)
        with self._voices[part.name] as voice:
            run = api.create_flow_run(deployment, part.request(), idempotency_key=f"demo {part.name}", tags=["demo"])
            follower = Follower(api, voice, sleep=self._sleep)
            return see_through(api, run, part.environment, follower, voice)

    def _sleep(self, seconds: float) -> None:
        if self._over.wait(seconds):
            raise _InterruptedError

    def _look_until(self, is_over: Callable[[], bool]) -> None:
        while not is_over():
            self._look()
            self._over.wait(_LOOK_SECONDS)
        self._look()

    def _look(self) -> None:
        for message in self._system.slack.messages():
            if message["ts"] not in self._told:
                self._told.add(message["ts"])
                self._tell(message)
        self._timeline.show()

    def _tell(self, message: Mapping[str, Any]) -> None:
        """As it was first posted: what a message has become since, its replies tell."""
        text = message["edits"][0]["text"] if message["edits"] else message["text"]
        moment = datetime.fromisoformat(message["posted_at"]).astimezone(UTC)
        channel = f"#{message['channel'].removeprefix('#')}"
        self._timeline.add(moment, "Slack", f"{channel}: {_essence(text)}", "dim")


def _essence(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith((*_UNTOLD, *_LINKS))]
    return "\n".join(lines[:_MESSAGE_LINES])
