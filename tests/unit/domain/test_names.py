"""What may be a name, and what may not."""

import pytest

from tidemill.domain import limits
from tidemill.domain.errors import InputError
from tidemill.domain.names import check_job_id, check_key, check_kind, check_lane, check_tenant

ID = "0190a5c8-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (check_kind, "a"),
        (check_kind, "media.make_thumb-nail.v2"),
        (check_kind, "k" * limits.MAX_KIND_CHARS),
        (check_tenant, "9"),
        (check_tenant, "Acme.eu-1_x"),
        (check_tenant, "t" * limits.MAX_TENANT_CHARS),
        (check_lane, "gpu-a100"),
        (check_lane, "l" * limits.MAX_LANE_CHARS),
        (check_key, "thumb:k:320/a@b+c=d,e-f_g.h"),
        (check_key, "k" * limits.MAX_KEY_CHARS),
        (check_job_id, ID),
    ],
)
def test_a_well_formed_name_is_returned_as_it_is(check, good):
    assert check(good) == good


@pytest.mark.parametrize(
    ("check", "bad", "code"),
    [
        (check_kind, "", "length"),
        (check_kind, "k" * (limits.MAX_KIND_CHARS + 1), "length"),
        (check_kind, "Media", "format"),
        (check_kind, "1a", "format"),
        (check_kind, "a..b", "format"),
        (check_kind, "a.", "format"),
        (check_kind, "a b", "format"),
        (check_kind, "a\n", "format"),
        (check_kind, None, "type"),
        (check_kind, 7, "type"),
        (check_kind, ["a"], "type"),
        (check_tenant, "-a", "format"),
        (check_tenant, "a#b", "format"),
        (check_tenant, "a/b", "format"),
        (check_tenant, "tenänt", "format"),
        (check_tenant, "a\n", "format"),
        (check_tenant, "t" * (limits.MAX_TENANT_CHARS + 1), "length"),
        (check_lane, "a_b", "format"),
        (check_lane, "-a", "format"),
        (check_lane, "l" * (limits.MAX_LANE_CHARS + 1), "length"),
        (check_key, "a b", "format"),
        (check_key, "a#b", "format"),
        (check_key, "a\n", "format"),
        (check_key, "\ud800", "format"),
        (check_key, "k" * (limits.MAX_KEY_CHARS + 1), "length"),
        (check_job_id, ID.upper(), "format"),
        (check_job_id, ID.replace("-", "_"), "format"),
        (check_job_id, ID + "0", "length"),
        (check_job_id, "{" + ID[1:-1] + "}", "format"),
    ],
)
def test_an_ill_formed_name_is_refused_with_its_field_and_a_stable_code(check, bad, code):
    with pytest.raises(InputError) as refused:
        check(bad, "where")

    (violation,) = refused.value.violations
    assert (violation.field, violation.code) == ("where", code)


@pytest.mark.parametrize("check", [check_kind, check_tenant, check_lane, check_key, check_job_id])
def test_no_name_can_hold_the_separator_of_table_keys_or_of_derived_ids(check):
    for separator in ("#", "\n"):
        with pytest.raises(InputError):
            check(f"a{separator}b")
