"""Templates in S3, read and written with prefect-aws by the worker's own rights."""

from typing import Any

from interlock.cloudformation.aws_errors import translated
from interlock.cloudformation.templates import S3Object, s3_address


def read_template(bucket: str, key: str, most_bytes: int) -> S3Object:
    """The object's text (no further than one byte beyond `most_bytes`) and the address of that very version."""
    with translated():
        client = _client()
        answer: Any = client.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{most_bytes}")
        address = s3_address(client.meta.region_name, bucket, key, answer.get("VersionId"))
        return S3Object(body=answer["Body"].read(), url=address)


def write_template(bucket: str, key: str, body: bytes) -> S3Object:
    """The object as it was written, with the address of that very version if the bucket keeps versions."""
    with translated():
        client = _client()
        answer: Any = client.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/plain; charset=utf-8")
        address = s3_address(client.meta.region_name, bucket, key, answer.get("VersionId"))
        return S3Object(body=body, url=address)


def _client() -> Any:
    from prefect_aws.credentials import AwsCredentials  # noqa: PLC0415 - takes 3 s to import, and most templates are inline

    return AwsCredentials().get_s3_client()
