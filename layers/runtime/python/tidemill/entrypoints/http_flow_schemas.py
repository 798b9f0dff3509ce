"""The schemas of batches, chains and graphs that are asked for, which hold each other."""

from __future__ import annotations

from typing import Any, Final

from tidemill.domain import limits

_REF: Final = "#/components/schemas/"
_JOB: Final = {"$ref": f"{_REF}JobRequest"}
_CHILD: Final = {"anyOf": [_JOB, {"$ref": f"{_REF}Flow"}]}
_COMPLETION: Final = {
    "description": "when it has succeeded; all by default",
    "anyOf": [
        {"enum": ["all", "first", None]},
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                "at_least": {"type": "integer", "minimum": 1, "description": "ends early, at so many successes"},
                "tolerate": {"type": "integer", "minimum": 0, "description": "so many may end without success"},
            },
        },
    ],
}
_CALLBACKS: Final = {
    "then": {**_JOB, "description": "runs when it succeeded"},
    "on_failure": {**_JOB, "description": "runs when it ended otherwise"},
}
_FORMS: Final = (
    {"children": {"type": "array", "items": _CHILD}, **_CALLBACKS, "completion": _COMPLETION},
    {"steps": {"type": "array", "items": _CHILD, "maxItems": limits.CHILDREN_PER_SHARD}, **_CALLBACKS},
    {
        "nodes": {
            "type": "object",
            "additionalProperties": _CHILD,
            "maxProperties": limits.CHILDREN_PER_SHARD,
        },
        "after": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "for a node, those that must have succeeded before it starts",
        },
        **_CALLBACKS,
        "completion": _COMPLETION,
    },
)
_OWN: Final = {
    "key": {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": limits.MAX_KEY_CHARS,
        "description": "idempotency key: one batch per tenant and key; or send the header Idempotency-Key",
    },
    "tenant": {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": limits.MAX_TENANT_CHARS,
        "description": "with a token: that of the token, or left out",
    },
}


def flow_schemas() -> dict[str, Any]:
    """By their names under `components`."""
    return {
        "Flow": {"oneOf": [_form(form, {}) for form in _FORMS], "description": "A batch, chain or graph."},
        "FlowRequest": {
            "oneOf": [_form(form, _OWN) for form in _FORMS],
            "description": f"A batch, chain or graph of up to {limits.MAX_BATCH_CHILDREN:,} jobs, all levels together.",
        },
    }


def _form(form: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [next(iter(form))],
        "additionalProperties": False,
        "properties": {**form, **more},
    }
