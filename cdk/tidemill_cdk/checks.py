"""Runs the rules on what was synthesised; a finding fails `cdk synth`, with the fix in the message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jsii
from aws_cdk import (
    CfnElement,
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
    Stack,
    Stage,
    Validations,
)
from constructs import Construct

from tidemill.domain.registry import JobRegistry
from tidemill_cdk.naming import worker_id
from tidemill_cdk.rules import Finding, find_all, too_many_attempts

# How waivers name these rules: `Tidemill::dlq`.
PLUGIN: Final = "Tidemill"


def check_on_synth(scope: Construct, registry: JobRegistry, more: Sequence[Finding] = ()) -> None:
    """Check everything below `scope` when its app is synthesised, after every aspect and override.

    `more`: what is known to be wrong by now.
    """
    stage = Stage.of(scope)
    if stage is None:
        raise TypeError(f"{scope.node.path} is in no App. Fix: App() at the root")
    Validations.of(stage).add_plugins(_Checks(scope, registry, more))


@jsii.implements(IPolicyValidationPlugin)
class _Checks:
    """The CDK calls `validate` with the finished templates; it judges those resources that are ours."""

    def __init__(self, scope: Construct, registry: JobRegistry, more: Sequence[Finding]) -> None:
        self._scope = scope
        self._registry = registry
        self._more = more

    @property
    def name(self) -> str:
        return PLUGIN

    @property
    def version(self) -> str | None:
        return None

    @property
    def rule_ids(self) -> list[str] | None:
        return None

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        stack = Stack.of(self._scope)
        path = next(path for path in context.template_paths if Path(path).name == stack.template_file)
        ours = self._own_ids(stack)
        resources = json.loads(Path(path).read_text(encoding="utf-8"))["Resources"]
        found = [*find_all(resources), *too_many_attempts(self._registry, worker_id), *self._more]
        violations = [_violation(finding, path) for finding in found if finding.logical_id in ours]
        return PolicyValidationPluginReport(success=not violations, violations=violations)

    def _own_ids(self, stack: Stack) -> set[Any]:
        elements = [node for node in self._scope.node.find_all() if isinstance(node, CfnElement)]
        return {stack.resolve(element.logical_id) for element in elements}


def _violation(finding: Finding, template: str) -> PolicyViolation:
    place = PolicyViolatingResource(locations=[], resource_logical_id=finding.logical_id, template_path=template)
    return PolicyViolation(
        rule_name=finding.rule,
        description=finding.problem,
        fix=finding.fix,
        severity="error",
        violating_resources=[place],
    )
