"""A stack comes to exist, or rolls back to nothing."""

from interlock.rehearsal.aws.cloudformation.dependencies import graph_of
from interlock.rehearsal.aws.cloudformation.operation import Operation, failures, policy
from interlock.rehearsal.aws.cloudformation.state import Resource


class Creation(Operation):
    kind = "CREATE"
    first_status = "CREATE_IN_PROGRESS"
    failed_status = "CREATE_FAILED"

    async def run(self) -> None:
        resolver = self.cloud.resolver(self.stack, self.stack.blueprint)
        wanted = resolver.resources()

        async def create(name: str) -> None:
            definition = wanted[name]
            resource = Resource(name, definition["Type"], definition, tags=self.stack.blueprint.tags)
            resource.properties = resolver.properties(definition)
            self.stack.resources[name] = resource
            self.event(resource, "CREATE_IN_PROGRESS")
            await self.create(resource)

        if await self.go_forward(graph_of(wanted), create):
            self.stack.outputs = resolver.outputs()
            self.enter("CREATE_COMPLETE")
        else:
            await self._roll_back()

    async def _roll_back(self) -> None:
        reason = failures(list(self.stack.resources.values()))
        if self.stack.disable_rollback:
            self.enter("CREATE_FAILED", reason)
            return
        self.enter("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
        failed = await self.remove_all(
            self.stack.resources, lambda resource: policy(resource, "DeletionPolicy") == "Retain"
        )
        if failed:
            self.enter("ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
        else:
            self.enter("ROLLBACK_COMPLETE")
