"""The storage contract, the same for every store."""

from datetime import timedelta

import pytest

from interlock.registry.store import (
    ABSENT,
    MOST_WRITES,
    Check,
    ConflictError,
    Delete,
    IndexEntry,
    Key,
    Put,
    Store,
    Write,
)
from tests.unit.registry.kit import NOON

A = Key("p", "a")
B = Key("p", "b")


def put(store: Store, key: Key, expect: str | None = None, **attributes: object) -> str:
    store.transact([Put(key=key, attributes=dict(attributes), expect=expect)])
    item = store.get(key)
    assert item
    return item.version


def test_what_was_put_is_read_as_it_was(store: Store) -> None:
    attributes = {"n": 1, "f": 0.1, "none": None, "empty": "", "list": [{"x": True}], "text": "žluťoučký 🚀"}
    index = IndexEntry("i", "1")
    store.transact([Put(key=A, attributes=attributes, expect=ABSENT, index=index, expires_at=NOON)])
    item = store.get(A)
    assert item
    assert (item.key, item.attributes, item.index, item.expires_at) == (A, attributes, index, NOON)
    assert item.version != ABSENT


def test_an_absent_item_is_none(store: Store) -> None:
    assert store.get(A) is None


def test_an_item_expected_absent_is_put_once(store: Store) -> None:
    put(store, A, ABSENT, n=1)
    with pytest.raises(ConflictError):
        put(store, A, ABSENT, n=2)


def test_a_version_is_current_until_the_next_write(store: Store) -> None:
    first = put(store, A, n=1)
    second = put(store, A, first, n=1)
    assert second != first
    with pytest.raises(ConflictError):
        put(store, A, first, n=3)


def test_an_absent_item_has_no_version(store: Store) -> None:
    version = put(store, A)
    store.transact([Delete(key=A, expect=version)])
    for write in (
        Put(key=A, attributes={}, expect=version),
        Delete(key=A, expect=version),
        Check(key=A, expect=version),
    ):
        with pytest.raises(ConflictError):
            store.transact([write])


def test_one_failed_expectation_undoes_all_of_a_transaction(store: Store) -> None:
    put(store, A, n=1)
    put(store, B, n=1)
    writes: list[Write] = [
        Put(key=A, attributes={"n": 2}, expect=None),
        Delete(key=B, expect=None),
        Check(key=Key("p", "c"), expect="v"),
    ]
    with pytest.raises(ConflictError):
        store.transact(writes)
    assert [item.attributes for item in store.get_many([A, B])] == [{"n": 1}, {"n": 1}]


def test_a_check_writes_nothing(store: Store) -> None:
    version = put(store, A)
    store.transact([Check(key=A, expect=version), Check(key=B, expect=ABSENT)])
    assert [item.version for item in store.get_many([A, B])] == [version]


def test_deleting_what_is_absent_is_no_conflict_unless_expected(store: Store) -> None:
    store.transact([Delete(key=A, expect=None)])
    assert store.get(A) is None


def test_a_query_keeps_to_its_partition_and_prefix_in_order(store: Store) -> None:
    for sort in ("x#2", "x#1", "x#3", "w#1", "y#1"):
        put(store, Key("p", sort))
    put(store, Key("other", "x#1"))
    assert [item.key.sort for item in store.query("p", "x#")] == ["x#1", "x#2", "x#3"]
    assert [item.key.sort for item in store.query("p", "x#", descending=True, limit=2)] == ["x#3", "x#2"]
    assert len(store.query("p", "")) == 5
    assert store.query("p", "z#") == []


def test_a_query_answers_all_pages(store: Store) -> None:
    """One page of DynamoDB is 1 MB."""
    for number in range(12):
        put(store, Key("p", f"x#{number:02d}"), text="x" * 200_000)
    assert [item.key.sort for item in store.query("p", "x#")] == [f"x#{number:02d}" for number in range(12)]
    assert len(store.query("p", "x#", limit=11)) == 11


def test_many_items_come_in_the_order_asked_for(store: Store) -> None:
    keys = [Key("p", f"{number:03d}") for number in range(150)]
    for start in range(0, 150, MOST_WRITES):
        store.transact([Put(key=key, attributes={}, expect=None) for key in keys[start : start + MOST_WRITES]])
    wanted = [*reversed(keys), Key("p", "missing")]
    assert [item.key for item in store.get_many(wanted)] == wanted[:-1]


def test_the_index_is_sparse_and_ordered(store: Store) -> None:
    for key, index in ((A, IndexEntry("i", "2")), (B, IndexEntry("i", "1")), (Key("p", "c"), IndexEntry("j", "1"))):
        store.transact([Put(key=key, attributes={}, expect=None, index=index)])
    put(store, Key("p", "d"))
    assert store.keys_in_index("i") == [B, A]
    put(store, A)
    assert store.keys_in_index("i") == [B]


def test_preparing_again_keeps_what_is_there(store: Store) -> None:
    store.transact([Put(key=A, attributes={}, expect=None, expires_at=NOON + timedelta(days=1))])
    store.prepare()
    assert store.get(A)


def test_a_transaction_of_nothing_changes_nothing(store: Store) -> None:
    put(store, A, v=1)
    store.transact([])
    assert store.get(A)


def test_a_transaction_has_a_limit(store: Store) -> None:
    writes = [Put(key=Key("p", str(number)), attributes={}, expect=None) for number in range(MOST_WRITES + 1)]
    with pytest.raises(ValueError, match="at most 100"):
        store.transact(writes)
