"""The values behind `secret:` references, read just before they are needed and kept nowhere."""

import json
from collections.abc import Callable, Mapping

from interlock.errors import InvalidRequestError
from interlock.models.environment import Environment
from interlock.secret_values.redactor import SHORTEST, Redactor
from interlock.secret_values.references import SecretReference, Source

Reader = Callable[[str], str | None]
"""A name -> the secret's text, or None when this source has none of that name. Anything else is raised."""


class Secrets:
    """An environment's secrets. What is read is known to the redactor before anybody else gets it."""

    def __init__(self, environment: Environment, readers: Mapping[Source, Reader], redactor: Redactor) -> None:
        self._environment = environment
        self._readers = readers
        self._redactor = redactor

    def read(self, references: Mapping[str, SecretReference], *, correlation_id: str | None = None) -> dict[str, str]:
        """The values of these parameters.

        Raises:
            InvalidRequestError: secrets that do not exist or cannot be used; all of them at once, no value quoted.
            SecretNotReadableError: a source does not let us read one.
            CloudFormationUnavailableError: a source does not answer.
        """
        problems: list[str] = []
        values = {name: self._value(name, reference, problems) for name, reference in references.items()}
        if problems:
            raise InvalidRequestError(problems, environment=self._environment.name, correlation_id=correlation_id)
        return values

    def _value(self, parameter: str, reference: SecretReference, problems: list[str]) -> str:
        try:
            return self._usable(reference)
        except ValueError as error:
            problems.append(f"parameters/{parameter}: `{reference.text}`: {error}.")
            return ""

    def _usable(self, reference: SecretReference) -> str:
        whole = self._found(reference)
        self._redactor.learn([whole])
        value = whole if reference.key is None else _member(whole, reference.key)
        if len(value) < SHORTEST:
            raise ValueError(f"it has fewer than {SHORTEST} characters, too few to be kept out of logs and messages")
        self._redactor.learn([value])
        return value

    def _found(self, reference: SecretReference) -> str:
        """The next source is asked only when one says that it has no such secret: an outage or a refusal never makes
        another source's secret of the same name the one that is deployed.
        """
        for source in reference.sources:
            value = self._readers[source](reference.name)
            if value is not None:
                return value
        raise ValueError(f"there is no such secret in {_listed(reference.sources)} ({self._environment.region})")


def _member(text: str, key: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or key not in document:
        raise ValueError("the secret is no JSON object with this key")
    value = document[key]
    return value if isinstance(value, str) else json.dumps(value)


def _listed(sources: tuple[Source, ...]) -> str:
    *others, last = (source.in_words for source in sources)
    return f"{', '.join(others)} or {last}" if others else last
