"""Made-up values of plausible shape: the same for the same stack, logical id and name, every time."""

import base64
import hashlib
from typing import Any

from interlock.rehearsal.aws.cloudformation import schemas
from interlock.rehearsal.aws.cloudformation.state import Place, Resource

Json = dict[str, Any]

_ID_PREFIXES = {
    "AWS::EC2::CustomerGateway": "cgw",
    "AWS::EC2::DHCPOptions": "dopt",
    "AWS::EC2::EgressOnlyInternetGateway": "eigw",
    "AWS::EC2::FlowLog": "fl",
    "AWS::EC2::Image": "ami",
    "AWS::EC2::Instance": "i",
    "AWS::EC2::InternetGateway": "igw",
    "AWS::EC2::KeyPair": "key",
    "AWS::EC2::LaunchTemplate": "lt",
    "AWS::EC2::NatGateway": "nat",
    "AWS::EC2::NetworkAcl": "acl",
    "AWS::EC2::NetworkInterface": "eni",
    "AWS::EC2::PrefixList": "pl",
    "AWS::EC2::RouteTable": "rtb",
    "AWS::EC2::SecurityGroup": "sg",
    "AWS::EC2::SecurityGroupEgress": "sgr",
    "AWS::EC2::SecurityGroupIngress": "sgr",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::SubnetRouteTableAssociation": "rtbassoc",
    "AWS::EC2::TransitGateway": "tgw",
    "AWS::EC2::VPC": "vpc",
    "AWS::EC2::VPCEndpoint": "vpce",
    "AWS::EC2::VPCPeeringConnection": "pcx",
    "AWS::EC2::VPNConnection": "vpn",
    "AWS::EC2::VPNGateway": "vgw",
    "AWS::EC2::Volume": "vol",
    "AWS::EFS::AccessPoint": "fsap",
    "AWS::EFS::FileSystem": "fs",
    "AWS::EFS::MountTarget": "fsmt",
}
# How names of attributes and parameters end, and what they then hold. The first that fits is taken.
_SHAPES = (
    (("Arns",), "arn"),
    (("Arn", "ARN"), "arn"),
    (("Port",), "port"),
    (("CidrBlock", "Cidr", "CIDR"), "cidr"),
    (("IpAddress", "PublicIp", "PrivateIp", "Ip", "IPAddress"), "ip"),
    (("Url", "URL", "Uri", "URI"), "url"),
    (("Endpoint", "Address", "DomainName", "DNSName", "DnsName", "Host", "HostedZoneName"), "host"),
    (("AvailabilityZone", "AvailabilityZones"), "zone"),
    (("SecurityGroup", "SecurityGroupId", "SecurityGroups", "SecurityGroupIds"), "sg"),
    (("SubnetId", "SubnetIds", "Subnets", "Subnet"), "subnet"),
    (("VpcId", "VPCId", "Vpc", "VPC"), "vpc"),
    (("ImageId", "AmiId", "AMI", "Ami"), "ami"),
    (("NameServers",), "host"),
    (("Version", "VersionNumber", "Count"), "number"),
    (("Data",), "base64"),
)


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def physical_id(place: Place, resource_type: str, logical_id: str, properties: Json) -> str:
    """What Ref gives of the stand-in."""
    seed = digest(place.stack_id, logical_id, resource_type)
    if resource_type == "AWS::EC2::EIP":
        return _address(seed)
    if resource_type in _ID_PREFIXES:
        return f"{_ID_PREFIXES[resource_type]}-{seed[:17]}"
    name = _name(place, resource_type, logical_id, properties, seed)
    member = schemas.identifier(resource_type)
    if member.endswith("Arn"):
        return _arn(place, resource_type, name)
    return seed[:12] if member.endswith("Id") and member not in properties else name


def attribute(place: Place, resource: Resource, name: str) -> Any:
    """What Fn::GetAtt gives of the stand-in: a string, or a list of them where the schema says so."""
    if name in (schemas.identifier(resource.resource_type), "Id"):
        return resource.physical_id
    if name == "Arn":
        return _arn(place, resource.resource_type, resource.physical_id)
    value = made_up(place, f"{resource.logical_id}.{name}", resource.resource_type, resource.logical_id)
    kind = schemas.attribute_type(resource.resource_type, name)
    if kind in ("integer", "number"):
        return "5432" if name.endswith("Port") else "1"
    if kind == "boolean":
        return "true"
    return [value] if kind == "array" else value


def made_up(place: Place, name: str, resource_type: str = "AWS::Rehearsal::Value", logical_id: str = "") -> str:
    """A string of the shape that `name` (an attribute, parameter or export) suggests."""
    seed = digest(place.stack_name, name)
    base = f"{place.stack_name}-{logical_id or name}".lower().replace(".", "-").replace(":", "-")
    return {
        "arn": _arn(place, resource_type, f"{place.stack_name}-{logical_id or name}-{seed[:12]}"),
        "port": "5432",
        "cidr": f"10.{int(seed[:2], 16)}.0.0/16",
        "ip": _address(seed),
        "url": f"https://{seed[:12]}.rehearsal.example.com",
        "host": f"{base}.{seed[:12]}.{place.region}.rehearsal.example.com",
        "zone": f"{place.region}a",
        "number": "1",
        "base64": base64.b64encode(seed.encode()).decode(),
        "name": f"{place.stack_name}-{seed[:12]}",
        **{prefix: f"{prefix}-{seed[:17]}" for prefix in ("sg", "subnet", "vpc", "ami")},
    }[_shape(name)]


def ssm_value(place: Place, name: str) -> str:
    """What a parameter store that we cannot ask may hold under this name."""
    lowered = name.lower()
    if "ami" in lowered or "image" in lowered:
        return f"ami-{digest(name, place.region)[:17]}"
    return made_up(place, name.rsplit("/", 1)[-1])


def _shape(name: str) -> str:
    return next((shape for endings, shape in _SHAPES if name.endswith(endings)), "name")


def _name(place: Place, resource_type: str, logical_id: str, properties: Json, seed: str) -> str:
    kind = resource_type.rsplit("::", 1)[-1]
    candidates = (schemas.identifier(resource_type), f"{kind}Name", f"{kind}Identifier", "Name", f"{kind}Id")
    given = next((properties[key] for key in candidates if isinstance(properties.get(key), str)), None)
    return given or f"{place.stack_name}-{logical_id}-{seed[:12].upper()}"


def _arn(place: Place, resource_type: str, name: str) -> str:
    parts = resource_type.split("::")
    service, kind = (parts[1], parts[-1]) if len(parts) > 2 else ("rehearsal", parts[-1])  # noqa: PLR2004 - AWS::Service::Kind
    return f"arn:aws:{_SERVICES.get(service, service.lower())}:{place.region}:{place.account}:{kind.lower()}/{name}"


_SERVICES = {
    "CertificateManager": "acm",
    "Cognito": "cognito-idp",
    "ElasticLoadBalancingV2": "elasticloadbalancing",
    "MSK": "kafka",
    "OpenSearchService": "es",
    "StepFunctions": "states",
}


def _address(seed: str) -> str:
    return ".".join(["203", "0", "113", str(int(seed[:2], 16) % 254 + 1)])
