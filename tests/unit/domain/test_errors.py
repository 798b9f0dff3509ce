"""What every error of the tree keeps to."""

from __future__ import annotations

import pytest

from tidemill.domain import limits
from tidemill.domain.errors import TidemillError


def classes(root):
    return [root, *(found for child in root.__subclasses__() for found in classes(child))]


@pytest.mark.parametrize("error", classes(TidemillError), ids=lambda error: error.__name__)
def test_a_code_fits_where_a_record_keeps_its_reason(error):
    """A refused message's reason is the code of what refused it."""
    assert 0 < len(error.code) <= limits.MAX_REASON_CHARS
    assert error.__doc__
