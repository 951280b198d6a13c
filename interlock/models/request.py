"""What a caller asks for: the parameters of the `deploy` flow."""

from typing import Self

from pydantic import Field

from interlock.models.base import Value


class DeploymentRequest(Value):
    """One request for a deployment, before anything is known to be right about it."""

    environment: str
    template: str = Field(repr=False)
    templates: dict[str, str] = Field(default_factory=dict, repr=False)
    """Those of the stacks that are deployed before the environment's last, by the stack's name."""
    parameters: dict[str, str] = Field(default_factory=dict, repr=False)
    capabilities: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    workflow_run_id: str | None = None
    github_run_url: str | None = None
    git_sha: str | None = None
    actor: str | None = None
    rollback_to: str | None = None
    """The correlation id of the earlier deployment whose template and parameters these are."""
    override_lock_reason: str | None = None
    show_drift: bool = False
    """Whether to show first what was changed by hand."""

    def of_stack(self, stack_name: str) -> Self:
        """The same request, as far as this one of the environment's stacks goes."""
        template = self.templates.get(stack_name, self.template)
        return self.model_copy(update={"template": template, "templates": {}})
