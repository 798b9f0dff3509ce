"""What the SQS adapters do beyond the ports, and what the emulators do not offer."""

from itertools import count

import pytest
from botocore.exceptions import ParamValidationError

from tests.builders import moved
from tests.contract.backends import MAX_RECEIVES, SqsBackend
from tests.contract.builders import make_envelope, make_job
from tidemill.domain.ports import Send

_numbers = count(1)


@pytest.fixture(params=["moto", "ministack"])
def sqs(request):
    clients = request.getfixturevalue(request.param)
    return SqsBackend(clients.sqs, f"details-{next(_numbers)}")


def bury_all(sqs):
    for _ in range(MAX_RECEIVES):
        received = sqs.receive("bulk")
        sqs.queue.hide("bulk", [(one.receipt, 0) for one in received])
    assert sqs.receive("bulk") == []


@pytest.mark.parametrize("number", [1, 4])
def test_the_tenant_is_the_group_of_a_fair_queue(sqs, number):
    sends = [Send(make_envelope(make_job(tenant=f"t{index}"))) for index in range(number)]
    sqs.queue.send("bulk", sends)

    messages = sqs.messages(sqs.urls["bulk"])

    groups = {message["Body"]: message["Attributes"]["MessageGroupId"] for message in messages}
    assert groups == {send.envelope.encode(): send.envelope.ref.tenant for send in sends}


def test_a_message_goes_back_with_its_group_and_its_attributes(sqs):
    attributes = {"origin": {"DataType": "String", "StringValue": "erp"}}
    sqs.client.send_message(
        QueueUrl=sqs.urls["bulk"], MessageBody="foreign", MessageGroupId="acme", MessageAttributes=attributes
    )
    bury_all(sqs)

    assert len(moved(sqs.dlq, "bulk", lambda _: True, 10)) == 1

    (again,) = sqs.messages(sqs.urls["bulk"])
    assert again["Attributes"]["MessageGroupId"] == "acme"
    assert again["MessageAttributes"]["origin"]["StringValue"] == "erp"


def test_these_suites_check_requests_against_the_model_of_aws(sqs):
    with pytest.raises(ParamValidationError):
        sqs.client.send_message(QueueUrl=sqs.urls["bulk"], Body="x")
