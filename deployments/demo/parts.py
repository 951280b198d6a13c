"""Who appears: the three deployments of the demo, and what goes wrong with one of them."""

from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).with_name("service.yaml")
FAILING = "Orders"
"""The fourth resource of the template."""
FAILURE = "Subscriber limit exceeded: There is a limit of 2500 tables per account (Service: DynamoDb, Status Code: 400)"
RESOURCE_SECONDS = 1.5
SLOW = "Worker"
SLOW_SECONDS = 5.0
"""To create: the second deployment must find the first at work, on a busy machine too."""


@dataclass(frozen=True)
class Part:
    """One deployment, as CI asks for it."""

    name: str
    environment: str
    release: str = "1"

    def request(self) -> dict[str, object]:
        """The parameters of the `deploy` flow."""
        return {
            "environment": self.environment,
            "template": TEMPLATE.read_text(encoding="utf-8"),
            "parameters": {"Release": self.release},
            "capabilities": ["CAPABILITY_IAM"],
            "actor": "ci",
        }


FIRST = Part("production 1", "production")
SECOND = Part("production 2", "production", release="2")
BROKEN = Part("staging", "staging")
PARTS = (FIRST, SECOND, BROKEN)
