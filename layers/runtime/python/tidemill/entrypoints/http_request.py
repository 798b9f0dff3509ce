"""Reading a request: who calls, for which tenant, and what they sent. Nothing here trusts the gateway's parsing."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain import limits
from tidemill.domain.errors import InputError, Violation
from tidemill.domain.names import check_tenant
from tidemill.domain.strict_json import load_strict
from tidemill.entrypoints.http_problems import (
    BodyTooLargeError,
    ForbiddenTenantError,
    InvalidQueryError,
    MalformedBodyError,
    MediaTypeError,
    UnauthenticatedError,
)
from tidemill.service.submission import DEFAULT_TENANT

DEFAULT_TENANT_CLAIM: Final = "tenant"
# A client's JSON writer may spend three bytes where ours spends one (`\u00e9` for a letter of two bytes), and the
# fields beside the arguments are short.
MAX_JOB_BODY_BYTES: Final = 3 * limits.MAX_ARGS_BYTES + 8 * 1024
# Lambda hands a function 6 MB (Lambda Developer Guide, "Lambda quotas"). Encoded as base64 by the gateway, 4 MiB
# become 5.6 MB and leave room for headers; what is larger still, the gateway refuses on its own.
MAX_BATCH_BODY_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request.

    Arguments:
        tenant: the tenant that the caller's token is bound to; None for callers that sign with AWS
            credentials, who are trusted with the whole stack and may name any.
    """

    tenant: str | None

    def tenant_for(self, named: object) -> Any:
        """The tenant to work for, given the one that the request names; a trusted caller's is checked later.

        Raises:
            ForbiddenTenantError: the caller's token is bound to another one.
        """
        if self.tenant is None:
            return DEFAULT_TENANT if named is None else named
        if named is not None and named != self.tenant:
            raise ForbiddenTenantError(
                Violation("tenant", "is not the tenant of your token; leave it out", "forbidden")
            )
        return self.tenant


def caller_of(event: APIGatewayProxyEventV2, tenant_claim: str) -> Caller:
    """The caller that API Gateway's authoriser vouches for.

    Raises:
        UnauthenticatedError: no authoriser has seen the request.
        ForbiddenTenantError: the token holds no tenant that could be one.
    """
    authorizer = event.raw_event["requestContext"].get("authorizer") or {}
    if jwt := authorizer.get("jwt"):
        try:
            return Caller(check_tenant((jwt.get("claims") or {}).get(tenant_claim or DEFAULT_TENANT_CLAIM)))
        except InputError:
            problem = Violation("tenant", "your token has no claim that names a tenant", "missing")
            raise ForbiddenTenantError(problem) from None
    if authorizer.get("iam"):
        return Caller(None)
    raise UnauthenticatedError


def read_document(event: APIGatewayProxyEventV2, most_bytes: int) -> Any:
    """The body as strict JSON.

    Raises:
        MediaTypeError: it is declared to be something else.
        BodyTooLargeError: it has more than `most_bytes`.
        MalformedBodyError: it is no strict JSON, no UTF-8, or no base64 where the gateway says so.
    """
    _check_media_type(event)
    body = _raw_body(event)
    # A lone surrogate has no UTF-8; it is counted here and refused by the parser.
    size = len(body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"))
    if size > most_bytes:
        raise BodyTooLargeError(Violation("body", f"has {size} bytes, the limit is {most_bytes}", "too_large"))
    if not size:
        raise MalformedBodyError(Violation("body", "is missing", "missing"))
    try:
        return load_strict(body, "body")
    except InputError as error:
        raise MalformedBodyError(*error.violations) from None


def read_query(event: APIGatewayProxyEventV2, known: AbstractSet[str]) -> dict[str, str]:
    """The query parameters.

    Raises:
        InvalidQueryError: one is none of `known`, or empty.
    """
    query = dict(event.raw_event.get("queryStringParameters") or {})
    if unknown := sorted(set(query) - known):
        listed = ", ".join(sorted(known)) or "none"
        raise InvalidQueryError(
            *(Violation(name, f"is no parameter here; known: {listed}", "extra") for name in unknown)
        )
    if empty := sorted(name for name, value in query.items() if not value):
        raise InvalidQueryError(*(Violation(name, "is empty; leave it out", "length") for name in empty))
    return query


@contextmanager
def answering_query() -> Iterator[None]:
    """What the service layer finds wrong inside is the path's or the query's fault, not a document's."""
    try:
        yield
    except InputError as error:
        raise InvalidQueryError(*error.violations) from None


def _check_media_type(event: APIGatewayProxyEventV2) -> None:
    media_type, *parameters = event.headers.get("content-type", "").lower().split(";")
    if media_type.strip() != "application/json":
        raise MediaTypeError(Violation("Content-Type", "must be application/json", "media_type"))
    charsets = {value.strip(' "') for name, _, value in (p.partition("=") for p in parameters) if "charset" in name}
    if not charsets <= {"utf-8", "utf8"}:
        raise MediaTypeError(Violation("Content-Type", "must have the charset utf-8", "media_type"))
    if event.headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaTypeError(Violation("Content-Encoding", "must be left out: send the body as it is", "media_type"))


def _raw_body(event: APIGatewayProxyEventV2) -> str | bytes:
    body = event.body or ""
    if not event.is_base64_encoded:
        return body
    try:
        return b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedBodyError(Violation("body", "is not valid base64", "base64")) from None
