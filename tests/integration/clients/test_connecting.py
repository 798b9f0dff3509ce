"""What clients raise in earnest when nobody listens, and when somebody listens and says nothing."""

import http.client
import socket
import urllib.request
from datetime import UTC, datetime

import boto3
import pytest
import requests
import urllib3
from botocore.config import Config

from tidemill.domain.classify import FailureClass, classify

SHORT = 0.2
ONCE = Config(connect_timeout=SHORT, read_timeout=SHORT, retries={"total_max_attempts": 1})


def by_urllib(port):
    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SHORT)


def by_requests(port):
    requests.get(f"http://127.0.0.1:{port}/", timeout=SHORT)


def by_urllib3(port):
    urllib3.PoolManager(retries=1, timeout=SHORT).request("GET", f"http://127.0.0.1:{port}/")


def by_http_client(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SHORT)
    connection.request("GET", "/")
    connection.getresponse()


def by_boto3(port):
    boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}", region_name="eu-central-1", config=ONCE).list_queues()


CLIENTS = pytest.mark.parametrize("client", [by_urllib, by_requests, by_urllib3, by_http_client, by_boto3])


@pytest.fixture
def listener():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        yield listening


def failure(client, listener):
    try:
        client(listener.getsockname()[1])
    except Exception as error:  # noqa: BLE001 - whatever it is is classified
        return classify(error, datetime.now(UTC)).failure
    raise AssertionError


@CLIENTS
def test_nobody_listens(client, listener):
    assert failure(client, listener) is FailureClass.UNAVAILABLE


@CLIENTS
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the clients give their sockets up with the error
def test_somebody_listens_and_says_nothing(client, listener):
    listener.listen()

    assert failure(client, listener) is FailureClass.TRANSIENT
