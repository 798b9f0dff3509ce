"""Reading a synthesised CloudFormation template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Resources: TypeAlias = Mapping[str, Mapping[str, Any]]


def of_type(resources: Resources, type_: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Logical id and properties of every resource of a type."""
    for id_, resource in resources.items():
        if resource["Type"] == type_:
            yield id_, resource.get("Properties", {})


def target(value: Any) -> str | None:
    """The logical id that a Ref or GetAtt points to."""
    if not isinstance(value, Mapping):
        return None
    if "Ref" in value:
        return str(value["Ref"])
    attribute = value.get("Fn::GetAtt")
    return str(attribute[0] if isinstance(attribute, list) else attribute.split(".")[0]) if attribute else None


def dead_letter_arns(value: Any) -> Iterator[Any]:
    """Every ARN below a key that says where failures go."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "deadLetterTargetArn":
                yield inner
            elif key in {"DeadLetterConfig", "OnFailure"}:
                yield from inner.values()
            else:
                yield from dead_letter_arns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from dead_letter_arns(inner)


def statements(resources: Resources) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every statement of a role or policy, with the logical id it is in."""
    for type_ in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for id_, policy in of_type(resources, type_):
            yield from ((id_, statement) for statement in policy["PolicyDocument"]["Statement"])
    for id_, role in of_type(resources, "AWS::IAM::Role"):
        for policy in role.get("Policies", ()):
            yield from ((id_, statement) for statement in policy["PolicyDocument"]["Statement"])


def texts(value: Any) -> list[str]:
    """One value or a list of them, each as one string with `<Id.Attribute>` where CloudFormation fills something in."""
    return [_text(item) for item in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(_text(part) for part in parts)
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    return f"<{value['Ref']}>" if "Ref" in value else str(value.get("Fn::Sub", value))
