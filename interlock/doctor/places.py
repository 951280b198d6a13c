"""What the settings name in AWS beside stacks and registry: the template bucket and the log group."""

from functools import partial
from typing import Any

from interlock.cloudformation import clients
from interlock.cloudformation.aws_errors import translated
from interlock.doctor.findings import Check, Verdict, not_checked, ok, problem, warning
from interlock.errors import CloudFormationRefusedError
from interlock.settings import Settings

_ABSENT = ("404", "NoSuchBucket")


def checks(settings: Settings) -> list[Check]:
    return [
        Check("template bucket", partial(template_bucket, settings.template_bucket)),
        Check("log group", partial(log_group, settings.log_group)),
    ]


def template_bucket(place: str | None) -> Verdict:
    if not place:
        return ok("not set: templates of more than 51,200 bytes must be named s3://bucket/key")
    bucket = place.partition("/")[0]
    try:
        versions = _versioning(bucket)
    except CloudFormationRefusedError as refusal:
        return _refused(bucket, refusal)
    if versions != "Enabled":
        mend = "Switch versioning on (deployments/aws/template-bucket.yaml): an address then names one version."
        return warning(f"{bucket} keeps no versions", mend)
    return ok(f"{bucket} answers and keeps versions")


def log_group(name: str | None) -> Verdict:
    if not name:
        return ok("not set: the log is kept by Prefect")
    try:
        with translated():
            groups = _client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    except CloudFormationRefusedError as refusal:
        return not_checked(f"we may not look for {name} ({refusal.code})", "Allow logs:DescribeLogGroups.")
    if name not in [group["logGroupName"] for group in groups]:
        return problem(f"there is no log group {name}", "Create it, or correct INTERLOCK_LOG_GROUP.")
    return ok(f"{name} is there")


def _versioning(bucket: str) -> str | None:
    with translated():
        client = _client("s3")
        client.head_bucket(Bucket=bucket)
        answer: dict[str, Any] = client.get_bucket_versioning(Bucket=bucket)
    return answer.get("Status")


def _refused(bucket: str, refusal: CloudFormationRefusedError) -> Verdict:
    if refusal.code in _ABSENT:
        return problem(f"there is no bucket {bucket}", "Correct INTERLOCK_TEMPLATE_BUCKET, or make it.")
    mend = "Allow s3:ListBucket and s3:GetBucketVersioning on it, if it is yours (worker-role.yaml, DoctorTemplates)."
    return not_checked(f"{bucket} does not let us look ({refusal.code})", mend)


def _client(service: str) -> Any:
    return clients.own_client(service)
