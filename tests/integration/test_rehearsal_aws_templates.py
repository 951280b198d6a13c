"""Any ordinary template can be rehearsed: what MiniStack cannot build, a stand-in replaces."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interlock.rehearsal.aws.cloudformation.templates import parse_document
from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.rehearsal_driver import Driver, client

TEMPLATES = Path(__file__).parents[3] / "shared" / "data" / "templates"
REAL = sorted(path for path in TEMPLATES.rglob("*.y*ml") if "bad" not in path.parts)


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with RehearsalAws(seconds=0, rollback_seconds=0) as running:
        yield Driver(running)


@pytest.fixture
def stack() -> str:
    return f"stack-{uuid.uuid4().hex[:8]}"


def outputs(driver: Driver, stack: str) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in driver.stack(stack).get("Outputs", [])}


def standins(driver: Driver, stack: str) -> dict[str, str]:
    found = [standin for standin in driver.aws.standins() if standin["stack"] == stack]
    for standin in found:
        print(f"{standin['logical_id'] or '-'} ({standin['resource_type']}): {standin['reason']}")  # noqa: T201 - the proof
    return {standin["logical_id"]: standin["reason"] for standin in found}


def parameters_for(template: dict[str, Any]) -> list[dict[str, str]]:
    specs = (template.get("Parameters") or {}).items()
    return [{"ParameterKey": name, "ParameterValue": some_value(spec)} for name, spec in specs if "Default" not in spec]


def some_value(spec: dict[str, Any]) -> str:
    if spec.get("AllowedValues"):
        return str(spec["AllowedValues"][0])
    if spec["Type"] == "Number":
        return str(spec.get("MinValue", 1))
    pattern = str(spec.get("AllowedPattern", ".*"))
    candidates = ("Abcdefgh1234", "10.0.0.0/16", "a@example.com", "abcdefgh", "example.com", "12")
    return next(candidate for candidate in candidates if matches(pattern, candidate))


def matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:  # some of AWS's own patterns are Java's alone
        return True


@pytest.mark.parametrize("path", REAL or [pytest.param(None, marks=pytest.mark.skip("no recorded templates here"))])
def test_a_real_template_comes_to_create_complete(driver: Driver, stack: str, path: Path) -> None:
    body = path.read_text()
    parameters = parameters_for(parse_document(body))
    assert driver.deploy(stack, body, Parameters=parameters) == "CREATE_COMPLETE"
    standins(driver, stack)
    again = driver.change_set(stack, body, "UPDATE", "again", Parameters=parameters)
    assert (again["Status"], again["Changes"]) == ("FAILED", [])


NETWORK = """
Parameters:
  Image: {Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: /aws/service/ami-amazon-linux-latest/al2023}
  Keys: {Type: 'AWS::EC2::KeyPair::KeyName', Default: nobody}
  Zones: {Type: 'List<AWS::EC2::AvailabilityZone::Name>', Default: 'us-east-1a, us-east-1b'}
Mappings: {Sizes: {us-east-1: {small: t3.small}}}
Conditions: {IsBig: !Equals [!Ref 'AWS::Region', eu-west-1], Broken: !Equals [!Ref Nobody, x]}
Resources:
  Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: !Select [1, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]
      AvailabilityZone: !Select [0, !GetAZs '']
  Nat: {Type: 'AWS::EC2::NatGateway', Properties: {SubnetId: !Ref Subnet, AllocationId: !GetAtt Ip.AllocationId}}
  Ip: {Type: 'AWS::EC2::EIP', Properties: {Domain: vpc}}
  Machine:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: !Ref Image
      KeyName: !Ref Keys
      InstanceType: !FindInMap [Sizes, !Ref 'AWS::Region', small]
      SubnetId: !Ref Subnet
      SecurityGroupIds: [!GetAtt Vpc.DefaultSecurityGroup]
      UserData: {'Fn::Base64': !Sub 'echo ${Vpc.CidrBlock} ${!LITERAL} ${AWS::StackName}'}
  OnlyElsewhere: {Type: 'AWS::EC2::EIP', Condition: IsBig}
Outputs:
  Image: {Value: !Ref Image}
  Address: {Value: !Ref Ip}
  Cidr: {Value: !GetAtt Subnet.CidrBlock}
  Zones: {Value: !Join ['|', !Ref Zones]}
  Imported: {Value: !ImportValue nobody-exports-this}
  Elsewhere: {Condition: IsBig, Value: !Ref OnlyElsewhere}
"""


def test_functions_parameters_and_imports_are_worked_out(driver: Driver, stack: str) -> None:
    assert driver.deploy(stack, NETWORK) == "CREATE_COMPLETE"
    found = outputs(driver, stack)
    assert re.fullmatch(r"ami-[0-9a-f]{17}", found["Image"])
    assert re.fullmatch(r"\d+\.\d+\.\d+\.\d+", found["Address"])
    assert found["Cidr"] == "10.0.1.0/24"
    assert found["Zones"] == "us-east-1a|us-east-1b"
    assert found["Imported"]
    assert "Elsewhere" not in found
    assert {"Nat", "Ip", "Machine"} <= standins(driver, stack).keys()


PLATFORM = """
Parameters: {Subnets: {Type: 'List<AWS::EC2::Subnet::Id>', Default: 'subnet-1,subnet-2'}, Vpc: {Type: 'AWS::EC2::VPC::Id', Default: vpc-1}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: ecs.amazonaws.com}, Action: 'sts:AssumeRole'}]}
  Secret: {Type: 'AWS::SecretsManager::Secret', Properties: {GenerateSecretString: {PasswordLength: 20}}}
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      Engine: postgres
      DBInstanceClass: db.t3.micro
      AllocatedStorage: 20
      MasterUsername: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:username}}'
      MasterUserPassword: '{{resolve:secretsmanager:other:SecretString:password}}'
  Cluster: {Type: 'AWS::ECS::Cluster'}
  Balancer: {Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: {Subnets: !Ref Subnets}}
  Task: {Type: 'AWS::ECS::TaskDefinition', Properties: {Family: app, ContainerDefinitions: [{Name: app, Image: nginx, Memory: 128}]}}
  Service: {Type: 'AWS::ECS::Service', Properties: {Cluster: !Ref Cluster, TaskDefinition: !Ref Task, DesiredCount: 2}}
  Eks: {Type: 'AWS::EKS::Cluster', Properties: {RoleArn: !GetAtt Role.Arn, ResourcesVpcConfig: {SubnetIds: !Ref Subnets}}}
  Kafka: {Type: 'AWS::MSK::Cluster', Properties: {ClusterName: k, KafkaVersion: 3.6.0, NumberOfBrokerNodes: 2, BrokerNodeGroupInfo: {ClientSubnets: !Ref Subnets, InstanceType: kafka.t3.small}}}
  Search: {Type: 'AWS::OpenSearchService::Domain', Properties: {EngineVersion: OpenSearch_2.11}}
  Queue: {Type: 'AWS::Batch::JobQueue', Properties: {Priority: 1, ComputeEnvironmentOrder: []}}
  Crawler: {Type: 'AWS::Glue::Crawler', Properties: {Role: !GetAtt Role.Arn, DatabaseName: nowhere, Targets: {S3Targets: [{Path: 's3://nowhere'}]}}}
  Users: {Type: 'AWS::Cognito::UserPool', Properties: {UserPoolName: users}}
  Client: {Type: 'AWS::Cognito::UserPoolClient', Properties: {UserPoolId: !Ref Users}}
  Key: {Type: 'AWS::KMS::Key', Properties: {KeyPolicy: {Version: '2012-10-17', Statement: []}}}
  Zone: {Type: 'AWS::Route53::HostedZone', Properties: {Name: example.com}}
  Record: {Type: 'AWS::Route53::RecordSet', Properties: {HostedZoneName: elsewhere.com., Name: a.elsewhere.com, Type: A, TTL: 60, ResourceRecords: [192.0.2.1]}}
  Machine: {Type: 'AWS::StepFunctions::StateMachine', Properties: {RoleArn: !GetAtt Role.Arn, DefinitionString: '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}'}}
  Code: {Type: 'AWS::Lambda::Function', Properties: {Role: !GetAtt Role.Arn, Handler: a.b, Runtime: python3.12, Code: {S3Bucket: nowhere, S3Key: nothing.zip}}}
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties: {DistributionConfig: {Enabled: true, Origins: [{Id: o, DomainName: o.example.com, CustomOriginConfig: {OriginProtocolPolicy: https-only}}], DefaultCacheBehavior: {TargetOriginId: o, ViewerProtocolPolicy: redirect-to-https, ForwardedValues: {QueryString: false}}}}
Outputs:
  KafkaArn: {Value: !GetAtt Kafka.Arn}
  Port: {Value: !GetAtt Database.Endpoint.Port}
  Endpoint: {Value: !GetAtt Eks.Endpoint}
  Domain: {Value: !GetAtt Distribution.DomainName}
"""  # noqa: E501 - one resource a line


def test_a_platform_of_many_types_is_deployed_and_updated(driver: Driver, stack: str) -> None:
    assert driver.deploy(stack, PLATFORM) == "CREATE_COMPLETE"
    found = outputs(driver, stack)
    assert found["KafkaArn"].startswith("arn:aws:kafka:us-east-1:000000000000:cluster/k")
    assert found["Port"].isdigit()
    assert {"Database", "Service", "Eks", "Kafka", "Queue"} <= standins(driver, stack).keys()
    bigger = PLATFORM.replace("DesiredCount: 2", "DesiredCount: 3")
    made = driver.start(stack, bigger, "UPDATE", "second")
    assert [change["ResourceChange"]["LogicalResourceId"] for change in made["Changes"]] == ["Service"]
    assert driver.finish(stack) == "UPDATE_COMPLETE"


CUSTOM = """
Resources:
  Handle: {Type: 'AWS::CloudFormation::WaitConditionHandle'}
  Wait: {Type: 'AWS::CloudFormation::WaitCondition', Properties: {Handle: !Ref Handle, Timeout: 60}}
  Own: {Type: 'Custom::Thing', Properties: {ServiceToken: 'arn:aws:lambda:us-east-1:1:function:f'}}
  Other: {Type: 'AWS::CloudFormation::CustomResource', Properties: {ServiceToken: !GetAtt Own.Token}}
  Nested: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: 'https://nowhere.s3.amazonaws.com/t.yaml'}}
  Unheard: {Type: 'AWS::Brand::New', Properties: {Name: !GetAtt Nested.Outputs.SubnetId}}
Outputs: {Wait: {Value: !GetAtt Wait.Data}, Nested: {Value: !GetAtt Nested.Outputs.BucketArn}, Unheard: {Value: !Ref Unheard}}
"""


def test_what_waits_for_somebody_else_is_a_stand_in(driver: Driver, stack: str) -> None:
    assert driver.deploy(stack, CUSTOM) == "CREATE_COMPLETE"
    assert set(standins(driver, stack)) == {"Handle", "Wait", "Own", "Other", "Nested", "Unheard"}
    found = outputs(driver, stack)
    assert found["Nested"].startswith("arn:aws:")
    assert found["Unheard"].startswith("subnet-")


LOOP = """
Transform: [AWS::LanguageExtensions, NobodysMacro]
Resources:
  'Fn::ForEach::Topics':
    - Name
    - [Red, Blue]
    - 'Topic${Name}': {Type: 'AWS::SNS::Topic', Properties: {DisplayName: !Ref Name}}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      'Fn::Transform': {Name: 'AWS::Include', Parameters: {Location: 's3://nowhere/snippet.yaml'}}
Outputs:
  Json: {Value: {'Fn::ToJsonString': {a: 1}}}
"""


def test_transforms_are_expanded_or_left_out(driver: Driver, stack: str) -> None:
    made = driver.start(stack, LOOP)
    created = {change["ResourceChange"]["LogicalResourceId"] for change in made["Changes"]}
    assert created == {"TopicRed", "TopicBlue", "Bucket"}
    assert driver.finish(stack) == "CREATE_COMPLETE"
    assert "the simulated account has no such macro" in standins(driver, stack)[""]


SERVERLESS = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Timeout: 3}}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      InlineCode: 'def handler(event, context): return {}'
      Events: {Api: {Type: Api, Properties: {Path: /, Method: get}}}
  Table: {Type: 'AWS::Serverless::SimpleTable'}
Outputs:
  Url: {Value: !Sub 'https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod'}
  Role: {Value: !GetAtt HelloRole.Arn}
"""


def test_a_serverless_template_is_deployed(driver: Driver, stack: str) -> None:
    assert driver.deploy(stack, SERVERLESS) == "CREATE_COMPLETE"
    found = outputs(driver, stack)
    assert found["Url"].startswith("https://")
    assert "Role" in found
    standins(driver, stack)


def test_a_stored_parameter_wins_over_a_made_up_one(driver: Driver, stack: str) -> None:
    client(driver.aws, "ssm").put_parameter(Name=f"/{stack}/name", Value="stored", Type="String")
    template = {
        "Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"/{stack}/name"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {
            "P": {"Value": {"Ref": "P"}},
            "D": {"Value": f"{{{{resolve:ssm:/{stack}/name}}}}"},
        },
    }
    assert driver.deploy(stack, template) == "CREATE_COMPLETE"
    assert outputs(driver, stack) == {"P": "stored", "D": "stored"}
    assert driver.stack(stack)["Parameters"][0]["ResolvedValue"] == "stored"
