"""Refusals of the CloudFormation API, in AWS's own words."""


class RefusalError(Exception):
    """The API's answer is this error; the request changed nothing."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> RefusalError:
    return RefusalError("ValidationError", message)


def malformed(message: str) -> RefusalError:
    return invalid(f"Template format error: {message}")


class ResourceFailedError(Exception):
    """A rule makes this resource fail. The message is the reason its event gives."""
