"""What arguments and events that have versions are declared with. `docs/versions.md` is the tour."""

from tidemill.domain.upcasting import Document, upcasts

__all__ = ("Document", "upcasts")
