"""What is shipped reaches public addresses and nothing else: no setting, and no line of code, says otherwise."""

import ast
from pathlib import Path

from tidemill.domain.webhook.address import is_public
from tidemill.domain.webhook.reach import PUBLIC
from tidemill.outside.https import SafeSender, machine_tls
from tidemill.service.webhooks import WebhookDesk
from tidemill.settings import RuntimeSettings

ROOT = Path(__file__).parents[3]
SHIPPED = ("layers", "functions", "examples", "cdk")


def calls(name):
    return {
        path.relative_to(ROOT).as_posix()
        for folder in SHIPPED
        for path in sorted((ROOT / folder).rglob("*.py"))
        # Others have that word for something of their own.
        if "node_modules" not in path.parts and "webhook" in path.read_text()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == name
    }


def test_one_reach_is_made_and_it_is_the_public_one():
    # The demo's shop sends to this machine, in a worker that only the demo deploys.
    assert calls("Reach") == {"layers/runtime/python/tidemill/domain/webhook/reach.py", "examples/demo/loopback.py"}
    assert (PUBLIC.scheme, PUBLIC.ports, PUBLIC.allows, PUBLIC.named) == ("https", frozenset({443}), is_public, True)


def test_senders_and_desks_have_it_if_nobody_says_otherwise():
    assert (SafeSender().reach, SafeSender().tls) == (PUBLIC, machine_tls)
    assert WebhookDesk.__dataclass_fields__["reach"].default is PUBLIC


def test_no_shipped_handler_brings_a_sender_of_its_own():
    handlers = [path for folder in SHIPPED for path in (ROOT / folder).rglob("handler.py")]

    assert handlers
    assert not [path for path in handlers if "sender" in path.read_text()]


def test_no_variable_changes_it():
    # The names of endpoints, and not where they may lead.
    assert [name for name in RuntimeSettings.model_fields if "webhook" in name or "reach" in name] == ["webhooks"]
