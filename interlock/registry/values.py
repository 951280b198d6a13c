"""Values of the domain as the attributes of items, and back."""

from collections.abc import Mapping
from typing import Any, TypeVar

from interlock.models.base import Value

_V = TypeVar("_V", bound=Value)


def attributes_of(value: Value, *, without: set[str] | None = None) -> dict[str, Any]:
    return value.model_dump(mode="json", exclude=without)


def value_of(model: type[_V], attributes: Mapping[str, Any]) -> _V:
    """Fields that this version does not know are left out: a newer one may have written them."""
    return model.model_validate({name: attributes[name] for name in attributes.keys() & model.model_fields.keys()})
