"""Calls of the stack's HTTP API, signed with the operator's credentials (Signature Version 4)."""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import get_cert_path

from tidemill.cli.problem import error_of
from tidemill.connect import ConnectError
from tidemill.domain.errors import UnavailableError

if TYPE_CHECKING:
    from tidemill.cli.account import AccountClients

# API Gateway answers after 30 s at the latest.
_TIMEOUT_S: Final = 35
_SERVICE: Final = "execute-api"
# What an answer of ours can't exceed by far; anything longer is not from our API.
_MAX_ANSWER_BYTES: Final = 4_194_304


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to, and the host that the request is for."""

    url: str
    host: str

    @classmethod
    def of(cls, api_url: str, path: str, override: str | None) -> Address:
        """The address of `path` of the API: AWS's own, or a local cloud that tells its APIs apart by host."""
        parts = urlsplit(api_url)
        if override is None:
            return cls(api_url + path, parts.netloc)
        server = urlsplit(override)
        api_id = parts.netloc.partition(".")[0]
        host = f"{api_id}.execute-api.localhost" + (f":{server.port}" if server.port else "")
        return cls(f"{server.scheme}://{server.netloc}{parts.path}{path}", host)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an address."""

    method: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignedApi:
    """The HTTP API of one stack, called as the operator."""

    url: str
    account: AccountClients

    def post(self, path: str, document: object) -> Any:
        """POST a JSON document and answer the parsed answer. See `call`."""
        return self.call("POST", path, document)

    def call(self, method: str, path: str, document: object = None, version: int | None = None) -> Any:
        """Send a request and answer the parsed answer.

        Arguments:
            path: with its query, if it has one.
            document: the body; None for none.
            version: refuse a change of anything that is in another version than this.

        Raises:
            CliError: the API refused it; the fields are those that the API names.
            ConnectError: nothing answers there, or the API refuses the credentials.
            UnavailableError: no answer in time, throttled, or AWS failed.
        """
        address = Address.of(self.url, path, self.account.endpoint_override)
        text = "" if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        asked = Request(method, text.encode(), headers)
        request = signed(address, asked, self.account.credentials, self.account.region)
        try:
            with self._opener(address).open(request, timeout=_TIMEOUT_S) as answer:
                return json.loads(answer.read(_MAX_ANSWER_BYTES))
        except HTTPError as error:
            raise error_of(error.code, error.read(_MAX_ANSWER_BYTES), address.host) from None
        except TimeoutError:
            raise UnavailableError("the HTTP API", "no answer in time") from None
        except URLError as error:
            fix = "check the network and AWS_ENDPOINT_URL; `tidemill local status` says whether the local cloud runs"
            raise ConnectError(f"the HTTP API at {address.url} can't be reached: {error.reason}. Fix: {fix}") from None
        except OSError as error:
            raise UnavailableError("the HTTP API", f"the connection broke: {error}") from None
        except ValueError:
            raise ConnectError(f"what answers at {address.url} is no Tidemill API. Fix: check the stack") from None

    def _opener(self, address: Address) -> urllib.request.OpenerDirector:
        # A proxy can't reach this machine's own loopback.
        loopback = urlsplit(address.url).hostname in {"127.0.0.1", "::1", "localhost"}
        proxies = urllib.request.ProxyHandler({} if loopback else None)
        # The interpreter's own certificates are missing on some systems; botocore brings a bundle.
        bundle = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True)
        https = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=bundle))
        return urllib.request.build_opener(proxies, https)


def signed(address: Address, asked: Request, credentials: Any, region: str) -> urllib.request.Request:
    """The request whose signature covers method, path, host, headers, time and the hash of the body."""
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Host": address.host, **asked.headers}
    request = AWSRequest(asked.method, address.url, headers=headers, data=asked.body)
    SigV4Auth(credentials, _SERVICE, region).add_auth(request)
    sent = dict(request.headers.items())
    return urllib.request.Request(address.url, data=asked.body or None, headers=sent, method=asked.method)  # noqa: S310 - the URL is the stack's own output
