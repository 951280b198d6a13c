"""The table of a deployment's resources: what needs attention first."""

from interlock.monitoring.progress import Progress, ResourceState

_ORDER = (
    ResourceState.FAILED,
    ResourceState.RUNNING,
    ResourceState.WAITING,
    ResourceState.CANCELLED,
    ResourceState.DONE,
)

Row = dict[str, str | int | None]


def resource_table(progress: Progress) -> list[Row]:
    """One row a resource, those of nested stacks too. Seconds: how long it took, or has been running."""
    rows = sorted((*progress.resources, *progress.nested), key=lambda each: _ORDER.index(each.state))
    return [
        {
            "State": row.state.value,
            "Resource": row.logical_id,
            "Type": row.resource_type,
            "Seconds": None if row.seconds is None else round(row.seconds),
        }
        for row in rows
    ]
