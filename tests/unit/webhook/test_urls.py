"""Which URLs an endpoint may have: one spelling of a public host, and nothing that two parsers read in two ways."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.webhook.hostile import GOOD, HOSTILE, OTHERS
from tidemill.domain.errors import InputError
from tidemill.domain.webhook.reach import PUBLIC


def test_there_are_more_than_a_hundred_and_twenty():
    assert len(set(HOSTILE)) >= 200


@pytest.mark.parametrize("url", [*HOSTILE, *OTHERS], ids=ascii)
def test_a_hostile_url_is_refused_where_it_is_given(url):
    with pytest.raises(InputError) as refused:
        PUBLIC.target(url, "url")

    assert refused.value.violations[0].field == "url"


@pytest.mark.parametrize("url", GOOD)
def test_a_public_url_leads_to_its_host(url):
    target = PUBLIC.target(url)

    assert f"{target.scheme}://{target.host}{target.path}" == url
    assert target.port == 443


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://good.example/", "must begin with https://"),
        ("https://u:p@good.example/", "holds a user or a password"),
        ("https://good.example", "has no path"),
        ("https://Good.example/", "capital letters in its host"),
        ("https://good.example./", "ends in a dot"),
        ("https://[::1]/", "IPv6 address"),
        ("https://169.254.169.254/", "must name a host of the public DNS"),
        ("https://good.example:8080/", "names port 8080, and webhooks go to port 443 alone"),
        ("https://good.example:443/", "leave :443 out"),
        ("https://metadata.google.internal/", "under .internal"),
        ("https://g\u043e\u043ed.example/", "outside of ASCII"),
        ("https://good.example\\x/", "backslash"),
    ],
)
def test_the_refusal_says_which_part_and_what_to_do(url, said):
    with pytest.raises(InputError, match="url: ") as refused:
        PUBLIC.target(url)

    assert said in str(refused.value)


def test_the_refusal_does_not_quote_a_url_whose_path_may_be_a_secret():
    with pytest.raises(InputError) as refused:
        PUBLIC.target("https://good.example/T0ken#")

    assert "T0ken" not in str(refused.value)


@given(st.text(max_size=80).map(lambda text: f"https://{text}"))
@example("https://a.example/\n")
def test_whatever_is_taken_reads_back_as_it_was_written(url):
    """One reading: scheme, host, port and path, put together again, are the very URL."""
    try:
        target = PUBLIC.target(url)
    except InputError:
        return
    assert f"https://{target.host}{target.path}" == url
    assert set(target.host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert target.host.rpartition(".")[2].isalpha() or target.host.rpartition(".")[2].startswith("xn--")


@given(st.integers(0, 2**32 - 1), st.sampled_from([int, hex, oct]))
def test_no_number_is_a_host(number, written):
    text = str(written(number)).replace("0o", "0")
    with pytest.raises(InputError):
        PUBLIC.target(f"https://{text}/")
