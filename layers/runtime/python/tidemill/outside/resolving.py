"""From a name to its addresses, once, and in time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence


def resolve(host: str, port: int, within_s: float) -> Sequence[str]:
    """Every address that the machine's resolver has for `host`, each once, in its order.

    The C library can't be told how long to look. It looks in a thread of its own, which is left behind if that is too
    long.

    Raises:
        OSError: it has none, or does not answer.
        TimeoutError: it takes longer than `within_s` seconds.
    """
    found: list[Sequence[str]] = []
    failed: list[OSError] = []

    def look() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            found.append(list(dict.fromkeys(str(answer[4][0]) for answer in answers)))
        except UnicodeError as error:
            # It encodes names by itself, and says so in another way.
            failed.append(OSError(str(error)))
        except OSError as error:
            failed.append(error)

    looker = threading.Thread(target=look, name="tidemill-resolve", daemon=True)
    looker.start()
    looker.join(within_s)
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError
    return found[0]
