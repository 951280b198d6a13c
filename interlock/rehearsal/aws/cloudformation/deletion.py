"""A stack goes away, under a running creation if need be."""

from interlock.rehearsal.aws.cloudformation.cloud import Cloud
from interlock.rehearsal.aws.cloudformation.operation import Operation, policy, stop_quietly
from interlock.rehearsal.aws.cloudformation.state import Resource, Stack, now


class Deletion(Operation):
    kind = "DELETE"
    first_status = "DELETE_IN_PROGRESS"
    failed_status = "DELETE_FAILED"

    def __init__(self, stack: Stack, cloud: Cloud, token: str | None, retained: list[str]) -> None:
        super().__init__(stack, cloud, token)
        self._before = stack.operation
        self._retained = retained

    async def run(self) -> None:
        await stop_quietly(self._before)
        failed = await self.remove_all(self._present(), self._is_kept)
        if failed:
            self.enter("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
        else:
            self.stack.deleted_at = now()
            self.enter("DELETE_COMPLETE")

    def _present(self) -> dict[str, Resource]:
        gone = ("DELETE_COMPLETE", "DELETE_SKIPPED")
        return {name: resource for name, resource in self.stack.resources.items() if resource.status not in gone}

    def _is_kept(self, resource: Resource) -> bool:
        return resource.logical_id in self._retained or policy(resource, "DeletionPolicy").startswith("Retain")
