"""A batch, chain or graph asked for in JSON: the document of the HTTP API and of the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.completion import ALL, FIRST, Completion, at_least, tolerate
from tidemill.domain.errors import InputError, Violation
from tidemill.domain.names import check_key, check_tenant
from tidemill.domain.registry import JobRegistry
from tidemill.service.flow import Batch, Chain, Child, Flow, Graph
from tidemill.service.request import parse_request
from tidemill.service.submission import DEFAULT_TENANT, Submission

# Which member says what sort of flow it is, and what else such a document may hold.
FORMS: Final = {
    "children": frozenset({"then", "on_failure", "completion"}),
    "steps": frozenset({"then", "on_failure"}),
    "nodes": frozenset({"after", "then", "on_failure", "completion"}),
}
_TOP: Final = frozenset({"key", "tenant"})
_NAMED: Final = {"all": ALL, "first": FIRST}
_COUNTED: Final[dict[str, Callable[[int], Completion]]] = {"at_least": at_least, "tolerate": tolerate}


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """A flow, whose it is, and under which key."""

    flow: Flow
    key: str | None
    tenant: str


def parse_flow_request(document: object, registry: JobRegistry) -> FlowRequest:
    """Turn `{"children": [...], ...}`, `{"steps": [...]}` or `{"nodes": {...}}` into a flow.

    A child is the document of a job (see `parse_request`), without key and tenant, or of another flow.

    Raises:
        InputError: a field is unknown, missing or bad; it is named by its path.
    """
    if not isinstance(document, dict):
        raise InputError.at("body", f"must be a JSON object, not {type(document).__name__}", "type")
    key, tenant = document.get("key"), document.get("tenant")
    return FlowRequest(
        _flow({name: value for name, value in document.items() if name not in _TOP}, registry, "", 1),
        None if key is None else check_key(key),
        DEFAULT_TENANT if tenant is None else check_tenant(tenant),
    )


def is_flow(document: object) -> bool:
    """Whether a document asks for a flow, and not for a job."""
    return isinstance(document, dict) and any(form in document for form in FORMS)


def _flow(document: dict[str, Any], registry: JobRegistry, path: str, depth: int) -> Flow:
    if depth > limits.MAX_BATCH_DEPTH:
        raise InputError.at(path.rstrip("."), f"is nested {depth} deep; {limits.MAX_BATCH_DEPTH} is the most", "depth")
    forms = [form for form in FORMS if form in document]
    if len(forms) != 1:
        problem = f"must have one of {', '.join(FORMS)}, and has {' and '.join(forms) or 'none'}"
        raise InputError.at(path.rstrip(".") or "body", problem, "form")
    (form,) = forms
    unknown = sorted(set(document) - FORMS[form] - {form})
    if unknown:
        known = ", ".join(sorted(FORMS[form] | {form}))
        raise InputError(
            *(Violation(f"{path}{str(name)[:64]}", f"is no field here; known: {known}", "extra") for name in unknown)
        )
    parse = _Parser(registry, path, depth)
    then, on_failure = parse.callback(document, "then"), parse.callback(document, "on_failure")
    completion = _completion(document.get("completion"), f"{path}completion")
    children = parse.children(document[form], form)
    if form == "children":
        return Batch(list(children.values()), then, on_failure, completion)
    if form == "steps":
        return Chain(*children.values(), then=then, on_failure=on_failure)
    after = document.get("after", {})
    if not isinstance(after, dict):
        raise InputError.at(f"{path}after", "must be an object: lists of node names by node name", "type")
    return Graph(children, after, then, on_failure, completion)


@dataclass(frozen=True, slots=True)
class _Parser:
    """Reads what is within one flow."""

    registry: JobRegistry
    path: str
    depth: int

    def children(self, found: object, form: str) -> dict[str, Child]:
        """The children in order, by a name of their own."""
        wanted, word = (dict, "an object") if form == "nodes" else (list, "an array")
        if not isinstance(found, wanted):
            raise InputError.at(f"{self.path}{form}", f"must be {word}, not {type(found).__name__}", "type")
        if len(found) > limits.MAX_BATCH_CHILDREN:
            problem = f"has {len(found):,} children; {limits.MAX_BATCH_CHILDREN:,} is the most"
            raise InputError.at(f"{self.path}{form}", problem, "children")
        named = found.items() if isinstance(found, dict) else enumerate(found)
        return {
            str(name): self._child(one, f"{self.path}{form}{f'.{name}' if form == 'nodes' else f'[{name}]'}")
            for name, one in named
        }

    def callback(self, document: dict[str, Any], name: str) -> Submission | None:
        """The job that is to be told of the end."""
        found = document.get(name)
        return None if found is None else self._job(found, f"{self.path}{name}")

    def _child(self, document: object, where: str) -> Child:
        if isinstance(document, dict) and is_flow(document):
            return _flow(document, self.registry, f"{where}.", self.depth + 1)
        return self._job(document, where)

    def _job(self, document: object, where: str) -> Submission:
        try:
            return parse_request(document, self.registry)
        except InputError as error:
            fields = (where if one.field == "body" else f"{where}.{one.field}" for one in error.violations)
            named = zip(error.violations, fields, strict=True)
            raise InputError(*(replace(violation, field=field) for violation, field in named)) from None


def _completion(rule: object, where: str) -> Completion:
    if rule is None:
        return ALL
    if isinstance(rule, str) and rule in _NAMED:
        return _NAMED[rule]
    if isinstance(rule, dict) and len(rule) == 1:
        ((name, count),) = rule.items()
        if name in _COUNTED and isinstance(count, int):
            try:
                return _COUNTED[name](count)
            except InputError as error:
                raise InputError(*(replace(one, field=where) for one in error.violations)) from None
    known = '"all", "first", {"at_least": n} or {"tolerate": n}'
    raise InputError.at(where, f"must be {known}", "completion")
