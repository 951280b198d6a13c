"""Templates too long for a call to CloudFormation lie in S3; what is deployed from there is what was validated.

A version of an object never changes, so an address with the version in it is enough. Without versioning the object could
be replaced between the validation and the change set: it is read once more right before.
"""

from collections.abc import Callable

from interlock.cloudformation.templates import MOST_BYTES, S3Object, S3Reader, Template
from interlock.errors import CloudFormationRefusedError, TemplateChangedError

S3Writer = Callable[[str, str, bytes], S3Object]
"""(bucket, key, body) -> the object as it was written."""


def stored(template: Template, place: str | None, write: S3Writer) -> Template:
    """The template, and where it needs one an address of ours: under its hash in `place` (BUCKET or BUCKET/PREFIX).

    Raises:
        CloudFormationRefusedError: it cannot be written there.
        CloudFormationUnavailableError: S3 does not answer.
    """
    if not place or template.fits_inline or template.is_pinned:
        return template
    bucket, _, prefix = place.partition("/")
    key = "/".join(part for part in (prefix.strip("/"), f"{template.sha256}.yaml") if part)
    try:
        written = write(bucket, key, template.body.encode())
    except CloudFormationRefusedError as refusal:
        raise CloudFormationRefusedError(
            f"The template is too long to be sent inline, and cannot be uploaded to s3://{bucket}: {refusal.message}",
            code=refusal.code,
            next_step="Correct INTERLOCK_TEMPLATE_BUCKET, or the right of the workers to write there (s3:PutObject).",
        ) from refusal
    return Template(body=template.body, url=written.url, source=(bucket, key))


def require_unchanged(template: Template, read: S3Reader) -> None:
    """Look, right before CloudFormation is sent to the template's address, whether it still is what was validated.

    Raises:
        TemplateChangedError: it is not.
        CloudFormationUnavailableError: S3 does not answer.
    """
    if template.fits_inline or template.is_pinned or template.source is None:
        return
    bucket, key = template.source
    if read(bucket, key, MOST_BYTES).text != template.body:
        raise TemplateChangedError(
            f"The template s3://{bucket}/{key} is no longer the one that was validated (sha256 {template.sha256}).",
            next_step="Nothing was changed. Find out who replaced it; switch the bucket's versioning on.",
        )
