"""What is deployed from S3 is what was validated."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.cloudformation import templates
from interlock.cloudformation.template_store import require_unchanged, stored
from interlock.cloudformation.templates import INLINE_BYTES, S3Object, Template, s3_address
from interlock.errors import CloudFormationRefusedError, InvalidRequestError, TemplateChangedError

LONG = "# x\n" * (INLINE_BYTES // 4 + 1)


class Bucket:
    """S3 at the edge: one bucket, with or without versions."""

    def __init__(self, *, has_versions: bool) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads = 0
        self._has_versions = has_versions

    def write(self, bucket: str, key: str, body: bytes) -> S3Object:
        self.objects[f"{bucket}/{key}"] = body
        version = "v1" if self._has_versions else None
        return S3Object(body=body, url=s3_address("eu-west-1", bucket, key, version))

    def read(self, bucket: str, key: str, most_bytes: int) -> S3Object:
        self.reads += 1
        body = self.objects[f"{bucket}/{key}"][: most_bytes + 1]
        return S3Object(body=body, url=s3_address("eu-west-1", bucket, key, "v1" if self._has_versions else None))


def test_a_template_that_a_call_can_carry_is_not_uploaded() -> None:
    bucket = Bucket(has_versions=True)
    template = Template(body="Resources: {}")
    assert stored(template, "templates", bucket.write) is template
    assert stored(Template(body=LONG), None, bucket.write) == Template(body=LONG)
    assert bucket.objects == {}


@pytest.mark.parametrize("place", ["templates/of/interlock", "templates/of/interlock/"])
def test_a_long_template_is_uploaded_under_its_hash_and_deployed_from_there(place: str) -> None:
    bucket = Bucket(has_versions=True)
    template = stored(Template(body=LONG), place, bucket.write)
    key = f"of/interlock/{hashlib.sha256(LONG.encode()).hexdigest()}.yaml"
    assert bucket.objects == {f"templates/{key}": LONG.encode()}
    assert template.argument == {"TemplateURL": f"https://templates.s3.eu-west-1.amazonaws.com/{key}?versionId=v1"}


def test_a_long_template_of_somebody_elses_bucket_without_versions_is_copied_to_ours() -> None:
    theirs, ours = Bucket(has_versions=False), Bucket(has_versions=True)
    theirs.write("theirs", "t.yaml", LONG.encode())
    loaded = templates.load("s3://theirs/t.yaml", s3_reader=theirs.read)
    assert not loaded.is_pinned
    assert stored(loaded, "ours", ours.write).is_pinned
    assert len(ours.objects) == 1


def test_a_bucket_that_does_not_take_it_is_told_with_the_setting() -> None:
    def refuse(_bucket: str, _key: str, _body: bytes) -> S3Object:
        raise CloudFormationRefusedError("PutObject: The specified bucket does not exist", code="NoSuchBucket")

    with pytest.raises(CloudFormationRefusedError, match=r"does not exist.*INTERLOCK_TEMPLATE_BUCKET"):
        stored(Template(body=LONG), "templates", refuse)


def test_a_template_replaced_after_its_validation_is_not_deployed() -> None:
    bucket = Bucket(has_versions=False)
    template = stored(Template(body=LONG), "templates", bucket.write)
    require_unchanged(template, bucket.read)
    assert template.source is not None
    bucket.write(*template.source, LONG.encode() + b"# planted")
    with pytest.raises(TemplateChangedError, match=template.sha256):
        require_unchanged(template, bucket.read)
    bucket.write(*template.source, b"\xff\xfe")
    with pytest.raises(TemplateChangedError):
        require_unchanged(template, bucket.read)


def test_a_version_is_not_read_again_for_it_never_changes() -> None:
    bucket = Bucket(has_versions=True)
    require_unchanged(stored(Template(body=LONG), "templates", bucket.write), bucket.read)
    require_unchanged(Template(body="Resources: {}", url="https://b", source=("b", "k")), bucket.read)
    assert bucket.reads == 0


@given(text=st.text(min_size=1).filter(str.strip), byte=st.binary(max_size=1))
def test_an_object_named_by_a_hash_must_have_it(text: str, byte: bytes) -> None:
    body = text.encode(errors="replace")
    address = f"s3://b/prefix/{hashlib.sha256(body).hexdigest()}.yaml"
    tampered = body + byte

    def load() -> Template:
        return templates.load(address, s3_reader=lambda *_: S3Object(body=tampered, url="https://x"))

    if byte:
        with pytest.raises(InvalidRequestError):
            load()
    else:
        assert load().body.encode() in (body, body.removeprefix(b"\xef\xbb\xbf"))
