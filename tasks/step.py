"""The one way to make a Prefect task of a piece of work: a name for people, one retry policy per kind of error.

A temporary error is retried by Prefect. A permanent one becomes the task's Failed state (a line in the log, no
traceback: it may be a user's mistake) and is raised again in the flow, where it is an ending like any other.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import State, Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.states import Failed

from interlock.errors import InterlockError, PermanentError, TemporaryError
from interlock.wiring import installation

P = ParamSpec("P")
R = TypeVar("R")

RETRY_DELAYS_SECONDS = (1, 3, 10, 30)


def step(
    name: str, *, retry_delays_seconds: tuple[float, ...] = RETRY_DELAYS_SECONDS
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a task of `work`; calling it runs the task and returns its result, or raises its InterlockError."""

    def decorate(work: Callable[P, R]) -> Callable[P, R]:
        prefect_task = as_task(work, name=name, retry_delays_seconds=retry_delays_seconds)

        @wraps(work)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            state: Any = prefect_task(*args, return_state=True, **kwargs)
            result: R = result_of(state)
            return result

        return run

    return decorate


def as_task(
    work: Callable[..., Any], *, name: str, retry_delays_seconds: tuple[float, ...] = RETRY_DELAYS_SECONDS
) -> Task[..., Any]:
    """The task itself, for work that is submitted to run beside something else; read it with `result_of`."""

    @wraps(work)
    def ending_in_a_state(*args: Any, **kwargs: Any) -> Any:
        try:
            return work(*args, **kwargs)
        except InterlockError as error:
            error.retell(installation().redactor.redact)  # Prefect stores what a state says, and logs it
            if not isinstance(error, PermanentError):
                raise
            return Failed(message=str(error), data=error)

    return task(
        name=name,
        task_run_name=name,  # without it Prefect hangs a piece of an id on it
        retries=len(retry_delays_seconds),
        retry_delay_seconds=list(retry_delays_seconds),
        retry_condition_fn=_is_temporary,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(ending_in_a_state)


def result_of(state: State[Any]) -> Any:
    """What the task returned.

    Raises:
        InterlockError: the one that ended the task.
    """
    error = _error_in(state)
    if error is not None:
        raise error
    return state.result()


def told_by(state: State[Any]) -> Any:
    """A state's data, or what Prefect's record of it holds (a private type: known by what it has)."""
    return getattr(state.data, "result", state.data)


def _error_in(state: State[Any]) -> BaseException | None:
    data = told_by(state)
    return data if isinstance(data, BaseException) else None


def _is_temporary(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(_error_in(state), TemporaryError)
