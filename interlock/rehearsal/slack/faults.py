"""Bad days on demand: the answers of a Slack that is busy, broken or gone."""

import threading
from typing import Literal

from pydantic import Field, TypeAdapter

from interlock.models.base import Value


class Fault(Value):
    """What happens to the next `times` calls of `method` (`*`: any; `times` null: from now on).

    `ratelimited` answers 429, `error` Slack's `error`, `http500` and `invalid_json` what they say, `hang` nothing for
    `seconds`: none of these does what was asked. `after` does it and then closes the connection without an answer.
    """

    method: str = "*"
    kind: Literal["ratelimited", "error", "http500", "hang", "invalid_json", "after"]
    error: str = "fatal_error"
    retry_after: int = 1
    seconds: float = 30
    times: int | None = Field(default=1, ge=1)


_LIST = TypeAdapter(list[Fault])


class Faults:
    """The faults still to come, in order. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def replace(self, body: bytes) -> None:
        """Takes a JSON list in place of what there is.

        Raises:
            pydantic.ValidationError: it is no such list.
        """
        faults = _LIST.validate_json(body)
        with self._lock:
            self._faults = faults

    def as_json(self) -> bytes:
        with self._lock:
            return _LIST.dump_json(self._faults)

    def take(self, method: str) -> Fault | None:
        """The first fault that applies to the call, used up once more."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.method in ("*", method):
                    self._use(index, fault)
                    return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._faults[index]
        elif fault.times is not None:
            self._faults[index] = fault.model_copy(update={"times": fault.times - 1})
