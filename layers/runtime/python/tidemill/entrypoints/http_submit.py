"""From a request's document to jobs: one, or a batch in which no bad job stops the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain import limits
from tidemill.domain.errors import InputError, TidemillError, UnavailableError, Violation
from tidemill.domain.names import check_key
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.http_problems import (
    MAX_VIOLATIONS,
    ForbiddenTenantError,
    RequestError,
    problem_document,
    refusal_of,
)
from tidemill.entrypoints.http_request import Caller
from tidemill.entrypoints.http_response import encode, job_link
from tidemill.service.client import JobClient
from tidemill.service.request import parse_request
from tidemill.service.submission import Submission
from tidemill.service.submitter import Receipt, SubmitResult

KEY_HEADER: Final = "Idempotency-Key"
# Lambda returns 6 MB (Lambda Developer Guide, "Lambda quotas"), and the body's quotes are escaped in it once more.
# Ten thousand terse refusals are 3 MB; those that say what is wrong may take this much before the rest is terse.
_EVIDENCE_BYTES: Final = 1024 * 1024


class BatchRefusedError(TidemillError):
    """Not a single job of a batch was accepted; `results` says why, job by job."""

    def __init__(self, cause: Exception, results: list[dict[str, Any]]) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.results = results


@dataclass(frozen=True, slots=True)
class SubmitDesk:
    """Takes documents for one caller."""

    registry: JobRegistry
    client: JobClient
    event: APIGatewayProxyEventV2
    caller: Caller

    def one(self, document: object) -> Receipt:
        """Submit the job that `document` asks for, under the key of the body or of the header.

        Raises:
            TidemillError: it was not accepted.
        """
        result = self.client.submit_many([self._parsed(with_key(document, header_key(self.event)))])[0]
        if isinstance(result, TidemillError):
            raise result
        return result

    def many(self, document: object) -> list[SubmitResult]:
        """Submit the jobs of `{"jobs": [...]}`; a receipt or an error for each, in order.

        Raises:
            InputError: it is no such document, or holds no job or more than 10,000.
            UnavailableError: nothing is known about any of them.
        """
        if header_key(self.event) is not None:
            raise InputError.at(KEY_HEADER, "is for one job; give each job of a batch its own `key`", "extra")
        parsed = [self._parsed_or_error(item) for item in _jobs_of(document)]
        submissions = [item for item in parsed if isinstance(item, Submission)]
        answers = iter(self.client.submit_many(submissions) if submissions else ())
        return [next(answers) if isinstance(item, Submission) else item for item in parsed]

    def accepted(self, receipt: Receipt) -> dict[str, Any]:
        """The document of a receipt."""
        return {
            "id": receipt.job_id,
            "state": receipt.job.state.value,
            "created": receipt.created,
            "link": job_link(self.event, self.caller, receipt.job.ref),
        }

    def report(self, results: list[SubmitResult]) -> list[dict[str, Any]]:
        """The documents of a batch's results, in order.

        Raises:
            BatchRefusedError: none is a receipt.
        """
        documents: list[dict[str, Any]] = []
        evidence = 0
        for index, result in enumerate(results):
            if isinstance(result, Receipt):
                documents.append({"index": index, **self.accepted(result)})
                continue
            problem = {"index": index, **problem_document(result)}
            evidence += len(encode(problem).encode())
            if evidence > _EVIDENCE_BYTES:
                problem |= {"violations": [], "detail": "More is wrong with this batch than an answer can hold."}
            documents.append(problem)
        errors = [result for result in results if not isinstance(result, Receipt)]
        if len(errors) == len(results):
            raise BatchRefusedError(_cause(errors, documents), documents)
        return documents

    def _parsed_or_error(self, document: object) -> Submission | TidemillError:
        try:
            return self._parsed(document)
        except (InputError, RequestError) as error:
            return error

    def _parsed(self, document: object) -> Submission:
        if isinstance(document, dict):
            document = {**document, "tenant": self.caller.tenant_for(document.get("tenant"))}
        return parse_request(document, self.registry)


def is_refusal(error: Exception) -> bool:
    """Whether the caller has to change something, rather than to repeat the request."""
    return refusal_of(error).status < 500


def header_key(event: APIGatewayProxyEventV2) -> str | None:
    """The key in the request's header.

    Raises:
        InputError: it is ill-formed.
    """
    header = event.headers.get(KEY_HEADER)
    # The IETF draft writes the key as a quoted string, most clients send it bare.
    return None if header is None else check_key(header.removeprefix('"').removesuffix('"'), KEY_HEADER)


def with_key(document: object, key: str | None) -> object:
    """The document under the key of the header.

    Raises:
        InputError: it names another key itself.
    """
    if key is None or not isinstance(document, dict):
        return document
    if document.get("key") not in (None, key):
        raise InputError.at("key", f"differs from the header {KEY_HEADER}; give one of the two", "conflict")
    return {**document, "key": key}


def _jobs_of(document: object) -> list[object]:
    if not isinstance(document, dict):
        raise InputError.at("body", f"must be a JSON object, not {type(document).__name__}", "type")
    if unknown := sorted(set(document) - {"jobs"}):
        raise InputError(*(Violation(name, "is no field of a batch; known: jobs", "extra") for name in unknown))
    if "jobs" not in document:
        raise InputError.at("jobs", "is missing", "missing")
    jobs = document["jobs"]
    if not isinstance(jobs, list):
        raise InputError.at("jobs", f"must be an array, not {type(jobs).__name__}", "type")
    if not 1 <= len(jobs) <= limits.MAX_BULK_JOBS:
        raise InputError.at("jobs", f"must hold 1 to {limits.MAX_BULK_JOBS} jobs, not {len(jobs)}", "length")
    return jobs


def _cause(errors: list[TidemillError], documents: list[dict[str, Any]]) -> Exception:
    """What a batch without a single accepted job is answered with as a whole."""
    passing = [error for error in errors if isinstance(error, UnavailableError)]
    if passing:
        # Some of them would be accepted by the same request later.
        return passing[0]
    violations = [
        Violation(f"jobs[{document['index']}].{violation['field']}", violation["problem"], violation["code"])
        for document in documents
        for violation in document["violations"]
    ][:MAX_VIOLATIONS]
    if all(isinstance(error, ForbiddenTenantError) for error in errors):
        return ForbiddenTenantError(*violations)
    return InputError(*violations) if violations else errors[0]
