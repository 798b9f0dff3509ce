"""The schemas of the OpenAPI document: responses from the models, requests from the registry's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from tidemill.domain import limits, webhook_limits
from tidemill.domain.due import MOMENT_PATTERN
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.entrypoints import http_models as models
from tidemill.entrypoints.http_dlq_models import DOCUMENTS as DLQ_DOCUMENTS
from tidemill.entrypoints.http_flow_schemas import flow_schemas
from tidemill.entrypoints.http_schedule_models import DOCUMENTS as SCHEDULE_DOCUMENTS

REF: Final = "#/components/schemas/"
_DOCUMENTS: Final = (
    models.Job,
    models.JobPage,
    models.CancelledPage,
    models.JobSummary,
    models.Receipt,
    models.Answered,
    models.Question,
    models.BatchResult,
    models.Batch,
    models.StartedBatch,
    models.Problem,
    models.BatchProblem,
    *DLQ_DOCUMENTS,
    *SCHEDULE_DOCUMENTS,
)
_MODE: Final[JsonSchemaMode] = "validation"
_RUN_AT: Final = {"type": ["string", "null"], "format": "date-time", "pattern": MOMENT_PATTERN}
_WEBHOOK: Final = {
    "type": "string",
    "maxLength": webhook_limits.MAX_WEBHOOK_CHARS,
    "description": "The endpoint that is told how the job ended, one that the program lists. Never a URL.",
}
_SECONDS: Final = {"type": ["number", "null"], "minimum": 0, "maximum": int(limits.MAX_DELAY.total_seconds())}

_MOVE: Final = {
    "type": "object",
    "description": "When the job is to start instead: one of `run_at` and `delay_seconds`.",
    "additionalProperties": False,
    "properties": {
        "run_at": {**_RUN_AT, "description": "up to 365 days ahead"},
        "delay_seconds": {**_SECONDS, "description": "from now; 0 is at once"},
        "tenant": {
            "type": ["string", "null"],
            "description": "whose job; with a token: that of the token, or left out",
        },
    },
}

_ANSWERER: Final = {
    "tenant": {"type": ["string", "null"], "description": "whose job; with a token: that of the token, or left out"},
    "by": {
        "type": ["string", "null"],
        "pattern": f"^[ -~]{{1,{limits.MAX_ANSWERER_CHARS}}}$",
        "description": "who decides, where you answer for somebody; by default you. With a token: left out",
    },
}


def component_schemas(registry: JobRegistry) -> dict[str, Any]:
    """Every schema by its name under `components`."""
    _, schemas = _generated(_DOCUMENTS, "")
    # A name of its own for each: a user's model may be called Job as well.
    described = [definition.args_type for definition in registry if _is_describable(definition.args_type)]
    refs, args_schemas = _generated(described, "args.")
    schemas |= args_schemas
    for definition in registry:
        args = refs.get(definition.args_type, {"type": "object"})
        schemas[_name_of(definition)] = _job_request(definition, args, registry)
    schemas["MoveRequest"] = _MOVE
    schemas["AnswerRequest"] = _answer_request(_ANSWERER)
    schemas["TokenAnswerRequest"] = _answer_request({})
    schemas["JobRequest"] = _any_job_request(registry)
    schemas["BatchRequest"] = {
        "type": "object",
        "description": "Jobs to submit. One that is refused does not stop the others.",
        "required": ["jobs"],
        "additionalProperties": False,
        "properties": {
            "jobs": {
                "type": "array",
                "items": {"$ref": f"{REF}JobRequest"},
                "minItems": 1,
                "maxItems": limits.MAX_BULK_JOBS,
            }
        },
    }
    return dict(sorted((schemas | flow_schemas()).items()))


def _answer_request(more: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": f"of the type that the kind declares, at most {limits.MAX_ANSWER_BYTES:,} bytes"}
    return {
        "type": "object",
        "required": ["answer"],
        "additionalProperties": False,
        "properties": {"answer": answer, **more},
    }


def _generated(
    documents: Sequence[type[BaseModel]], prefix: str
) -> tuple[dict[type[BaseModel], dict[str, Any]], dict[str, Any]]:
    """A reference for each model, and the schemas that those lead to. Models of one name get different ones."""
    refs, generated = models_json_schema(
        [(model, _MODE) for model in documents], ref_template=f"{REF}{prefix}{{model}}"
    )
    schemas = {f"{prefix}{name}": schema for name, schema in generated.get("$defs", {}).items()}
    return {model: refs[model, _MODE] for model in documents}, schemas


def _is_describable(model: type[BaseModel]) -> bool:
    """Whether JSON Schema can say what the model takes; a custom type may not tell."""
    try:
        model.model_json_schema(mode=_MODE)
    except PydanticInvalidForJsonSchema:
        return False
    return True


def _name_of(definition: AnyDefinition) -> str:
    return f"JobRequest.{definition.kind}"


def _any_job_request(registry: JobRegistry) -> dict[str, Any]:
    kinds = {kind: definition for definition in registry for kind in _kinds_of(definition)}
    if not kinds:
        return {"not": {}, "description": "This registry has no jobs."}
    return {
        "oneOf": [{"$ref": f"{REF}{_name_of(definition)}"} for definition in registry],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {kind: f"{REF}{_name_of(definition)}" for kind, definition in kinds.items()},
        },
    }


def _job_request(definition: AnyDefinition, args: dict[str, Any], registry: JobRegistry) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"A job of kind {definition.kind}, lane {definition.lane}.",
        "required": ["kind", "args", *(["version"] if definition.args_type.contract_version > 1 else [])],
        "additionalProperties": False,
        "properties": {
            "kind": {"enum": _kinds_of(definition)},
            "args": args,
            "version": _version(definition.args_type.contract_version),
            "key": {
                **_text(limits.MAX_KEY_CHARS),
                "description": "idempotency key: one job per tenant, kind and key; or send the header Idempotency-Key",
            },
            "tenant": {**_text(limits.MAX_TENANT_CHARS), "description": "with a token: that of the token, or left out"},
            "lane": {"enum": [*registry.lanes, None], "description": "another lane than the kind's"},
            "entity": {
                "type": ["string", "null"],
                "pattern": f"^[!-~]{{1,{limits.MAX_ENTITY_CHARS}}}$",
                "description": "on a FIFO lane, and only there: what the job is about",
            },
            "sequence": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": limits.MAX_SEQUENCE,
                "description": "its number among the jobs of the entity; the next one if left out",
            },
            "delay_seconds": {**_SECONDS, "description": "from now until it may start; not on a FIFO lane"},
            "run_at": {
                **_RUN_AT,
                "description": "the moment from which it may start, instead of a delay; up to 365 days ahead",
            },
            "webhook": _WEBHOOK,
            "durable_args": {
                "type": ["boolean", "null"],
                "description": "the table keeps the arguments of a short delay too, so that it can be moved earlier",
            },
            "expires_in_seconds": {**_SECONDS, "description": "if it has not started by then, it never runs"},
            "job_id": {
                "type": ["string", "null"],
                "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
                "description": "an id of your choice, instead of a key",
            },
            "correlation_id": {
                "type": ["string", "null"],
                "pattern": "^[ -~]{1,64}$",
                "description": "carried through everything the job causes",
            },
        },
    }


def _kinds_of(definition: AnyDefinition) -> list[str]:
    return [definition.kind, *definition.args_type.job_aliases]


def _version(current: int) -> dict[str, Any]:
    """Earlier ones are taken too, 1 if it is left out; what is described here are the current arguments."""
    said = "which version of the kind's arguments these are"
    return {"enum": [current] if current > 1 else [1, None], "description": said}


def _text(most_chars: int) -> dict[str, Any]:
    return {"type": ["string", "null"], "minLength": 1, "maxLength": most_chars}
