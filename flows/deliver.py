"""The scheduled delivery: send the messages that their own run could not."""

from prefect import State, flow
from prefect.states import Completed

from tasks.notify import deliver_waiting
from tasks.run_log import begin_log


@flow(
    name="deliver-messages",
    flow_run_name="what waits for Slack",
    description="Send the Slack messages that their own run could not.",
)
def deliver_messages() -> State:
    begin_log(stream="deliver")
    report = deliver_waiting()
    return Completed(message=f"{report.delivered} delivered, {report.kept} kept, {report.parked} parked.")
