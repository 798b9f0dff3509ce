"""Reading a request: who calls, for which tenant, and what they sent. Nothing here trusts the gateway's parsing."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

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
# The largest arguments and what stands beside them. Lambda hands a function 6 MB, 6,291,456 bytes (Lambda Developer
# Guide, "Lambda quotas"), in which the gateway escapes every quote of the body: what grows beyond that, or is larger
# still, the gateway refuses on its own.
MAX_BODY_BYTES: Final = limits.MAX_PAYLOAD_BYTES + 512 * 1024
FORM_TYPE: Final = "application/x-www-form-urlencoded"
# More than any form of ours has.
_MAX_ENTRIES: Final = 256


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request.

    Arguments:
        tenant: the tenant that the caller's token is bound to; None for callers that sign with AWS
            credentials, who are trusted with the whole stack and may name any.
        name: who it is, for the audit trail: the subject of the token, or the ARN that signed.
    """

    tenant: str | None
    name: str = "unknown"

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
            claims = jwt.get("claims") or {}
            tenant = check_tenant(claims.get(tenant_claim or DEFAULT_TENANT_CLAIM))
            return Caller(tenant, f"token:{_name(claims.get('sub'))}")
        except InputError:
            problem = Violation("tenant", "your token has no claim that names a tenant", "missing")
            raise ForbiddenTenantError(problem) from None
    if iam := authorizer.get("iam"):
        return Caller(None, _name(iam.get("userArn")))
    raise UnauthenticatedError


def read_document(event: APIGatewayProxyEventV2, most_bytes: int) -> Any:
    """The body as strict JSON.

    Raises:
        MediaTypeError: it is declared to be something else.
        BodyTooLargeError: it has more than `most_bytes`.
        MalformedBodyError: it is no strict JSON, no UTF-8, or no base64 where the gateway says so.
    """
    _check_media_type(event)
    body = _body_within(event, most_bytes)
    if not body:
        raise MalformedBodyError(Violation("body", "is missing", "missing"))
    try:
        return load_strict(body, "body")
    except InputError as error:
        raise MalformedBodyError(*error.violations) from None


def is_form(event: APIGatewayProxyEventV2) -> bool:
    """Whether the body is what a browser sends for a form."""
    return event.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM_TYPE


def read_form(event: APIGatewayProxyEventV2, most_bytes: int) -> dict[str, str]:
    """The texts of a form that was filled in, by name; the body may be empty.

    Raises:
        BodyTooLargeError: it has more than `most_bytes`.
        MalformedBodyError: it is no UTF-8, no form, or has a name twice.
    """
    body = _body_within(event, most_bytes)
    try:
        text = body.decode("ascii") if isinstance(body, bytes) else body
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_ENTRIES)
    except ValueError:
        raise MalformedBodyError(Violation("body", "is no form of UTF-8 text", "form")) from None
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise MalformedBodyError(Violation("body", "has a name twice", "form"))
    return entries


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


def _name(claimed: object) -> str:
    # An ARN has at most 2,048 characters, a subject at most 255 (OpenID Connect Core, 2).
    printable = isinstance(claimed, str) and 0 < len(claimed) <= 2_048 and claimed.isprintable()
    return str(claimed) if printable else "unknown"


def _check_media_type(event: APIGatewayProxyEventV2) -> None:
    media_type, *parameters = event.headers.get("content-type", "").lower().split(";")
    if media_type.strip() != "application/json":
        raise MediaTypeError(Violation("Content-Type", "must be application/json", "media_type"))
    charsets = {value.strip(' "') for name, _, value in (p.partition("=") for p in parameters) if "charset" in name}
    if not charsets <= {"utf-8", "utf8"}:
        raise MediaTypeError(Violation("Content-Type", "must have the charset utf-8", "media_type"))
    if event.headers.get("content-encoding", "identity").lower() != "identity":
        raise MediaTypeError(Violation("Content-Encoding", "must be left out: send the body as it is", "media_type"))


def _body_within(event: APIGatewayProxyEventV2, most_bytes: int) -> str | bytes:
    body = _raw_body(event)
    # A lone surrogate has no UTF-8; it is counted here and refused by the parser.
    size = len(body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"))
    if size > most_bytes:
        raise BodyTooLargeError(Violation("body", f"has {size} bytes, the limit is {most_bytes}", "too_large"))
    return body


def _raw_body(event: APIGatewayProxyEventV2) -> str | bytes:
    body = event.body or ""
    if not event.is_base64_encoded:
        return body
    try:
        return b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedBodyError(Violation("body", "is not valid base64", "base64")) from None
