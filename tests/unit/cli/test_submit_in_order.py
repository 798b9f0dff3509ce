"""`tidemill submit --entity --sequence`."""

import pytest

from tidemill.cli.request import request_document
from tidemill.domain.errors import InputError


def document(**options):
    return request_document("demo.greet", "{}", {"entity": None, "sequence": None, **options}, lambda: ("orders",))


def test_both_are_sent_as_the_api_takes_them():
    asked = document(entity="order:7", sequence="12")

    assert (asked["entity"], asked["sequence"]) == ("order:7", 12)
    assert document(entity="order:7").keys() == {"kind", "args", "entity"}


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("entity", {"entity": ""}),
        ("entity", {"entity": "two words"}),
        ("sequence", {"entity": "a", "sequence": "x"}),
        ("sequence", {"entity": "a", "sequence": "-1"}),
        ("sequence", {"entity": "a", "sequence": "1.5"}),
        ("sequence", {"entity": "a", "sequence": str(1 << 53)}),
    ],
)
def test_what_can_be_seen_to_be_wrong_is_refused_here(field, options):
    with pytest.raises(InputError) as refused:
        document(**options)

    assert [violation.field for violation in refused.value.violations] == [field]


def test_the_options_reach_the_api(run, world):
    result = run("submit", "demo.greet", '{"name":"Ada"}', "--entity", "a", "--sequence", "4")

    # The lane of this kind is no FIFO lane, which the API says.
    assert result.exit_code == 2, result.output
    assert (world.api.posted[0]["entity"], world.api.posted[0]["sequence"]) == ("a", 4)
    assert "keeps no order" in result.output
