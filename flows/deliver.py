"""The scheduled delivery: send the messages that their own run could not."""

from prefect import State, flow
from prefect.states import Completed

from tasks.notify import deliver_waiting


@flow(name="deliver-messages", description="Send the Slack messages that their own run could not.")
def deliver_messages() -> State:
    report = deliver_waiting()
    return Completed(message=f"{report.delivered} delivered, {report.kept} kept, {report.parked} parked.")
