"""What botocore has to read before it can make a client, cut down to what a worker's cold start needs.

As it is, a session parses the endpoints of every service in every region (1.3 MB of JSON) and lists the folders
of all four hundred services; that is most of the time its first client takes. The endpoints come from a service's
own rules anyway, so what is left of that file is which region belongs to which partition, and `partitions.json`,
which those rules read, says it in a few KB. A test compares the requests with those of an ordinary session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.loaders import Loader

# The services whose clients a session with this loader can make.
SERVICES: Final = ("dynamodb", "sqs")


class LeanLoader(Loader):
    """botocore's loader of service data, for `SERVICES` only."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore names it
        """The services, without walking through the folders of all others."""
        return list(SERVICES)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """The data of this name and its file; the endpoints are made of the partitions."""
        if name != "endpoints":
            return super().load_data_with_path(name)
        data, path = super().load_data_with_path("partitions")
        return {"version": 3, "partitions": [_partition(partition) for partition in data["partitions"]]}, path


def _partition(partition: Mapping[str, Any]) -> dict[str, Any]:
    """A partition as `endpoints.json` has it, with no service that differs from the others."""
    outputs = partition["outputs"]
    suffix, dual_stack_suffix = outputs["dnsSuffix"], outputs["dualStackDnsSuffix"]
    return {
        "partition": partition["id"],
        "regionRegex": partition["regionRegex"],
        "regions": partition["regions"],
        "dnsSuffix": suffix,
        "services": {},
        "defaults": {
            "hostname": "{service}.{region}.{dnsSuffix}",
            "protocols": ["https"],
            "signatureVersions": ["v4"],
            "variants": [
                _variant(suffix, "{service}-fips", "fips"),
                _variant(dual_stack_suffix, "{service}", "dualstack"),
                _variant(dual_stack_suffix, "{service}-fips", "dualstack", "fips"),
            ],
        },
    }


def _variant(suffix: str, host: str, *tags: str) -> dict[str, Any]:
    return {"dnsSuffix": suffix, "hostname": f"{host}.{{region}}.{{dnsSuffix}}", "tags": list(tags)}
