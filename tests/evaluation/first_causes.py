"""Chapter: is the first cause of each recorded failure found, and known what to do about it?"""

from collections.abc import Sequence

from interlock.cloudformation.failures import Failures, failures_of
from tests.evaluation.recordings import Recording

_REASON_SHOWN = 110


def report(recordings: Sequence[Recording]) -> str:
    failed = [each for each in recordings if each.has_failed]
    found = {each.name: failures_of(each.events) for each in failed}
    lines = [line for each in failed for line in _entry(each, found[each.name])]
    return "\n".join(["First causes", *lines, "", *_totals(failed, found)])


def _entry(recording: Recording, found: Failures) -> list[str]:
    cause = found.first_cause
    heading = f"  {recording.name}"
    if cause is None:
        return [heading, "    none found", *_guess(recording, found)]
    others = ", ".join(each.logical_id for each in found.also_failed)
    undone = ", ".join(each.logical_id for each in found.of_rollback)
    return [
        heading,
        f"    {cause.logical_id} ({cause.resource_type}, {cause.status}): {_short(cause.reason)}",
        f"    kind {cause.kind or 'unknown'}: {cause.hint or 'no hint'}",
        *([f"    also failed: {others}"] if others else []),
        *([f"    the rollback failed on: {undone}"] if undone else []),
        *_guess(recording, found),
    ]


def _guess(recording: Recording, found: Failures) -> list[str]:
    """The file's own guess, which is no truth."""
    if recording.root_cause_hint is None:
        return []
    return [
        f"    the file's guess, {recording.root_cause_hint}: {'agrees' if _agrees(recording, found) else 'DIFFERS'}"
    ]


def _agrees(recording: Recording, found: Failures) -> bool:
    return found.first_cause is not None and found.first_cause.logical_id == recording.root_cause_hint


def _totals(failed: Sequence[Recording], found: dict[str, Failures]) -> list[str]:
    missing = [each.name for each in failed if found[each.name].first_cause is None]
    cut = sum(1 for each in failed if each.name in missing and not each.is_complete)
    guessed = [each for each in failed if each.root_cause_hint]
    agreed = sum(_agrees(each, found[each.name]) for each in guessed)
    unknown = sum(1 for each in found.values() if each.first_cause and each.first_cause.kind is None)
    explained = f"a first cause for {len(failed) - len(missing)}, none for {len(missing)} ({cut} of them cut-off logs)"
    return [
        f"  {len(failed)} failures; {explained}; {unknown} of an unknown kind",
        f"  the files' guesses: {agreed} of {len(guessed)} agree",
    ]


def _short(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _REASON_SHOWN else f"{line[:_REASON_SHOWN]}…"
