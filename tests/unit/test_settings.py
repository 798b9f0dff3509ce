"""The env contract."""

import pytest

from tidemill.domain.errors import SettingsError
from tidemill.settings import LaneSettings, RuntimeSettings

LANES = {"default": LaneSettings(queue_url="q", dlq_url="d"), "bulk": LaneSettings(queue_url="q2", dlq_url="d2")}
FULL = RuntimeSettings(
    stack="s",
    table="t",
    lanes=LANES,
    list_index=False,
    payload_bucket="b",
    idempotency_table="i",
    lane="bulk",
    outbox=True,
    bus="b",
    events_table="e",
    lines_table="l",
    webhooks=("orders", "audit"),
)


@pytest.mark.parametrize("settings", [FULL, RuntimeSettings(stack="s", table="t", lanes=LANES)])
def test_what_cdk_writes_the_runtime_reads(settings):
    assert RuntimeSettings.from_env(settings.to_env()) == settings


def test_lanes_keep_their_order():
    assert list(RuntimeSettings.from_env(FULL.to_env()).lanes) == ["default", "bulk"]


def test_every_variable_is_a_string_with_the_prefix():
    assert all(isinstance(value, str) and name.startswith("TIDEMILL_") for name, value in FULL.to_env().items())
    assert set(FULL.to_env()) == {f"TIDEMILL_{name.upper()}" for name in RuntimeSettings.model_fields}


def test_a_stack_without_an_event_store_has_the_environment_that_it_always_had():
    written = RuntimeSettings(stack="s", table="t", lanes=LANES).to_env()
    assert not {"TIDEMILL_EVENTS_TABLE", "TIDEMILL_LINES_TABLE"} & set(written)


def test_the_rest_of_the_environment_is_no_concern():
    assert RuntimeSettings.from_env({**FULL.to_env(), "PATH": "/bin", "TIDEMILL_NEWER": "x"}) == FULL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIDEMILL_STACK", None),
        ("TIDEMILL_STACK", ""),
        ("TIDEMILL_TABLE", None),
        ("TIDEMILL_LANES", None),
        ("TIDEMILL_LANES", "{}"),
        ("TIDEMILL_LANES", "[]"),
        ("TIDEMILL_LANES", "{"),
        ("TIDEMILL_LANES", ""),
        ("TIDEMILL_LANES", '{"a":{"queue_url":"q"}}'),
        ("TIDEMILL_LANES", '{"a":{"queue_url":"","dlq_url":"d"}}'),
        ("TIDEMILL_LIST_INDEX", "perhaps"),
    ],
)
def test_an_incomplete_environment_is_refused_with_the_variable_and_the_fix(name, value):
    environ = FULL.to_env()
    environ.pop(name)
    if value is not None:
        environ[name] = value

    with pytest.raises(SettingsError, match="Fix") as refused:
        RuntimeSettings.from_env(environ)

    assert refused.value.variable == name
    assert name in str(refused.value)


def test_what_only_some_stacks_have_takes_no_room_in_the_others():
    plain = RuntimeSettings(stack="s", table="t", lanes=LANES).to_env()

    assert not {"TIDEMILL_OUTBOX", "TIDEMILL_BUS"} & set(plain)
