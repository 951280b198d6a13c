import logging
import threading

from interlock.logs.subject import AddSubject, Subject, about, process_writes_to, stream_name, subject
from tests.unit.logs.kit import ID, OURS, Kept, logger, process_about


def test_a_thread_started_by_anybody_is_about_the_processs_deployment() -> None:
    seen: list[Subject] = []
    with process_about(OURS):
        thread = threading.Thread(target=lambda: seen.append(subject()))
        thread.start()
        thread.join()
    assert seen == [OURS]


def test_a_process_that_looks_after_several_names_the_one_at_hand() -> None:
    other = Subject(correlation_id="20261124-101702-ffffffff")
    with process_about(OURS):
        with about(other):
            assert subject() == other
            assert stream_name() == f"staging/{ID}"
        assert subject() == OURS


def test_a_line_keeps_what_it_says_of_itself() -> None:
    kept = Kept()
    kept.addFilter(AddSubject())
    kept.setFormatter(logging.Formatter("%(flow_run_id)s %(environment)s"))
    with process_about(OURS):
        logger(kept).info("text", extra={"flow_run_id": "the monitor's"})
    assert kept.lines == ["the monitor's staging"]


def test_a_process_of_no_single_deployment_has_the_stream_of_its_kind() -> None:
    with process_about(Subject(environment="staging")):
        assert stream_name() == "interlock"
        process_writes_to("sweep")
        assert stream_name() == "sweep"
