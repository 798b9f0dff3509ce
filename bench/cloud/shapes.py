"""Whether a request is one that AWS's own model of the service allows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import ParamValidationError
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator


def check_shape(service: str, operation: str, arguments: Mapping[str, Any]) -> None:
    """Compare `arguments` with the model that botocore carries. Some 50 to 500 microseconds.

    Arguments:
        operation: in CamelCase, as `_make_api_call` gets it.

    Raises:
        ParamValidationError: a required argument is missing, one is unknown, of another type or out of its range.
    """
    shape = _model(service, operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(dict(arguments), shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


@cache
def _model(service: str, operation: str) -> OperationModel:
    return _service(service).operation_model(operation)


@cache
def _service(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)
