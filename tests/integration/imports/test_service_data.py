"""A worker's clients read a fraction of botocore's data, and send the requests of ordinary ones."""

import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.session import Session

from tidemill.aws.service_data import SERVICES, LeanLoader

OPERATION = {"dynamodb": "list_tables", "sqs": "list_queues"}
# A region that botocore's data do not name yet.
NEW_REGION = "us-central-9"
VARIANTS = {"plain": {}, "fips": {"use_fips_endpoint": True}, "dualstack": {"use_dualstack_endpoint": True}}


class Empty:
    """The body of a response."""

    def stream(self):
        yield b"{}"


@pytest.fixture(scope="module")
def sessions():
    ordinary, lean = Session(), Session()
    lean.register_component("data_loader", LeanLoader())
    return ordinary, lean


def regions():
    partitions = Session().get_component("data_loader").load_data("partitions")["partitions"]
    return [region for partition in partitions for region in partition["regions"]] + [NEW_REGION]


def request_of(session, service, region, options):
    """Where a call goes, and the scope that it is signed for."""
    client = session.create_client(service, region_name=region, config=Config(**options))
    sent = []

    def send(request, **_):
        scope = request.headers["Authorization"].split(b",")[0].split(b"/", 2)[2]
        sent.append((request.url, scope))
        return AWSResponse(request.url, 200, {}, Empty())

    client.meta.events.register("before-send", send)
    getattr(client, OPERATION[service])()
    return sent


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("service", SERVICES)
def test_requests_go_where_an_ordinary_client_sends_them(sessions, service, variant):
    ordinary, lean = sessions
    # botocore's older data lack the dual-stack names of the isolated partitions, which its rules know.
    known = [region for region in regions() if variant != "dualstack" or "iso" not in region]

    assert len(known) > 30
    for region in known:
        expected = request_of(ordinary, service, region, VARIANTS[variant])
        assert expected
        assert request_of(lean, service, region, VARIANTS[variant]) == expected


def test_other_services_need_an_ordinary_session(sessions):
    with pytest.raises(UnknownServiceError, match="s3"):
        sessions[1].create_client("s3", region_name="us-east-1")
