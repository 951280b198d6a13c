from typing import Any

import pytest

from interlock.rehearsal.aws.call import Call
from interlock.rehearsal.aws.faults import Faults, error_answer
from interlock.rehearsal.aws.rules import Behaviour, Rules


def behaviour(rules: list[dict[str, Any]], phase: str = "CREATE", metadata: Any = None) -> Behaviour:
    all_rules = Rules()
    all_rules.replace(rules)
    return all_rules.behaviour("shop", "Topic", phase, metadata, 5)


def call(action: str, protocol: str = "query") -> Call:
    return Call("cloudformation", action, "test", "us-east-1", "", protocol, {})


def test_without_rules_a_resource_takes_the_default_time() -> None:
    assert behaviour([]) == Behaviour(5)


def test_a_rule_from_outside_wins_over_the_template() -> None:
    metadata = {"Rehearsal": {"Seconds": 1, "Fail": "template"}}
    assert behaviour([], metadata=metadata) == Behaviour(1, "template")
    assert behaviour([{"match": "shop/*", "Seconds": 2}], metadata=metadata) == Behaviour(2, "template")


def test_a_rule_for_other_stacks_changes_nothing() -> None:
    assert behaviour([{"match": "other/*", "Stall": True}]) == Behaviour(5)


def test_a_rule_speaks_of_creation_and_update_unless_it_says_otherwise() -> None:
    rules = [{"match": "*", "Seconds": 1, "FailDelete": "in use"}]
    assert behaviour(rules, "UPDATE") == Behaviour(1)
    assert behaviour(rules, "DELETE") == Behaviour(5, "in use")
    assert behaviour(rules, "ROLLBACK") == Behaviour(5)
    assert behaviour([{"match": "*", "Stall": True, "On": ["ROLLBACK"]}], "ROLLBACK") == Behaviour(5, stall=True)


def test_a_fault_is_spent_by_the_calls_it_fits() -> None:
    faults = Faults()
    faults.replace([{"action": "Describe*", "kind": "error"}, {"kind": "delay", "times": -1}])
    kinds = [
        (faults.take(call(action)) or {}).get("kind") for action in ("ListStacks", "DescribeStacks", "DescribeStacks")
    ]
    assert kinds == ["delay", "error", "delay"]


@pytest.mark.parametrize(
    ("protocol", "text"),
    [
        ("json", b'{"__type": "Throttling", "message": "<slow>"}'),
        ("query", b"<ErrorResponse><Error><Code>Throttling</Code><Message>&lt;slow&gt;</Message></Error>"),
        ("rest", b"<Error><Code>Throttling</Code><Message>&lt;slow&gt;</Message></Error>"),
    ],
)
def test_an_error_speaks_the_protocol_of_its_service(protocol: str, text: bytes) -> None:
    answer = error_answer({"code": "Throttling", "message": "<slow>", "status": 400}, call("X", protocol))
    assert answer.status == 400
    assert answer.body.startswith(text)
