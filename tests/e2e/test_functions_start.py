"""Every function starts on a bare interpreter: its layers bring all that it imports."""

import json

from examples.demo.stage import STACK
from tests.e2e.ground import functions_of

STARTING_FAILED = ("Worker init failed", "exited immediately", "No module named", "cannot import")


def test_every_function_starts_with_what_its_layers_bring(cloud):
    client = cloud.client("lambda")
    names = [function["FunctionName"] for function in functions_of(cloud, STACK)]

    answers = {name: client.invoke(FunctionName=name, Payload=b'{"Records": []}') for name in names}
    said = {name: json.dumps(json.load(answer["Payload"])) for name, answer in answers.items()}

    assert len(names) >= 3
    assert {name: words for name, words in said.items() if any(sign in words for sign in STARTING_FAILED)} == {}
