"""Whether a dependency could be reached, asked of errors as clients make them."""

import errno
import http.client
import socket
import urllib.error

import pytest
import requests
import urllib3.exceptions
from botocore import exceptions as aws

from tidemill.domain.unreachable import is_unreachable


def named(name, *parents, module="somewhere"):
    return type(name, parents or (Exception,), {"__module__": module})


def trying(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever it is is looked at
        return error
    raise AssertionError


def timed_out(module, function):
    """A bare TimeoutError that came through `function` of `module`."""
    scope = {"__name__": module}
    exec(f"def {function}(): raise TimeoutError('timed out')", scope)  # noqa: S102 - a frame of another module
    return trying(scope[function])


def broken_off(reason):
    return requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", reason))


POOL = urllib3.connectionpool.HTTPConnectionPool("127.0.0.1")

DOWN = [
    ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
    ConnectionResetError(),
    ConnectionAbortedError(),
    BrokenPipeError(),
    http.client.RemoteDisconnected(),
    socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    OSError(errno.EHOSTUNREACH, "No route to host"),
    OSError(errno.ENETUNREACH, "Network is unreachable"),
    TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
    timed_out("socket", "create_connection"),
    timed_out("http.client", "connect"),
    timed_out("ssl", "do_handshake"),
    urllib.error.URLError(ConnectionRefusedError()),
    urllib.error.URLError(socket.gaierror()),
    urllib.error.URLError(timed_out("socket", "create_connection")),
    requests.ConnectionError("boo"),
    requests.ConnectTimeout("boo"),
    broken_off(http.client.RemoteDisconnected()),
    urllib3.exceptions.NewConnectionError(POOL, "boo"),
    urllib3.exceptions.ConnectTimeoutError(POOL, "boo"),
    urllib3.exceptions.MaxRetryError(POOL, "/", urllib3.exceptions.NewConnectionError(POOL, "boo")),
    urllib3.exceptions.MaxRetryError(POOL, "/", urllib3.exceptions.NameResolutionError("x", POOL, socket.gaierror())),
    aws.EndpointConnectionError(endpoint_url="x", error="y"),
    aws.ConnectTimeoutError(endpoint_url="x", error="y"),
    aws.ConnectionClosedError(endpoint_url="x", error="y"),
    aws.ProxyConnectionError(proxy_url="x", error="y"),
    named("ConnectError", named("NetworkError"))(),
    named("ConnectTimeout", named("TimeoutException"))(),
    named("ReadError", named("NetworkError"))(),
    named("ClientConnectorDNSError", named("ClientConnectorError", OSError))(),
    named("ConnectionTimeoutError", named("ServerTimeoutError", TimeoutError))(),
    named("BusyLoadingError", named("ConnectionError"))(),
]
# The other side is there, or somebody has to mend something.
NOT_DOWN = [
    TimeoutError("timed out"),
    timed_out("socket", "readinto"),
    timed_out("jobs.syncing", "connect"),
    OSError(errno.ENOSPC, "No space left on device"),
    FileNotFoundError(errno.ENOENT, "no such file"),
    urllib.error.URLError("unknown url type: x"),
    urllib.error.URLError(timed_out("socket", "readinto")),
    requests.ReadTimeout("boo"),
    requests.exceptions.SSLError("boo"),
    requests.ConnectionError(urllib3.exceptions.ReadTimeoutError(POOL, "/", "boo")),
    requests.exceptions.InvalidURL("boo"),
    urllib3.exceptions.ReadTimeoutError(POOL, "/", "boo"),
    urllib3.exceptions.MaxRetryError(POOL, "/", urllib3.exceptions.ResponseError("too many 500 error responses")),
    aws.ReadTimeoutError(endpoint_url="x", error="y"),
    aws.SSLError(endpoint_url="x", error="y"),
    aws.NoCredentialsError(),
    named("ClientConnectorCertificateError", named("ClientConnectorError"), named("ClientSSLError"))(),
    named("AuthenticationError", named("ConnectionError"))(),
    named("SocketTimeoutError", named("ServerTimeoutError", TimeoutError))(),
    ValueError(),
]


@pytest.mark.parametrize("error", DOWN, ids=repr)
def test_a_dependency_that_is_not_there_is_unreachable(error):
    assert is_unreachable(error)


@pytest.mark.parametrize("error", NOT_DOWN, ids=repr)
def test_one_that_is_slow_or_wrong_is_not(error):
    assert not is_unreachable(error)


def test_an_error_that_carries_itself_is_asked_only_so_often():
    error = RuntimeError()
    error.args = (error, error)

    assert not is_unreachable(error)
