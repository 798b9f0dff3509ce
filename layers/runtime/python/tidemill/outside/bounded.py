"""A stream that ends in time and holds no more than it may, whatever its sender does."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from http.client import HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class TooLongError(HTTPException):
    """The sender sent more than may be read."""


class BoundedStream:
    """What `HTTPResponse` takes for a socket. A sender that sends a byte now and then is not waited for longer.

    Arguments:
        left: the seconds until all has to be over; raises TimeoutError when it is.
        most: bytes that are read.
    """

    def __init__(self, stream: socket.socket, left: Callable[[], float], most: int) -> None:
        self._raw = _Raw(stream, left, most)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The one reader of it."""
        return io.BufferedReader(self._raw)


class _Raw(io.RawIOBase):
    def __init__(self, stream: socket.socket, left: Callable[[], float], most: int) -> None:
        self._stream = stream
        self._left = left
        self._most = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if self._most <= 0:
            raise TooLongError
        self._stream.settimeout(self._left())
        view = memoryview(buffer)[: self._most]
        count = self._stream.recv_into(view)
        self._most -= count
        return count
