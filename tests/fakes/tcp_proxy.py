"""Something between a client and a server that breaks connections: at the end of a mail, or all at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

END_OF_DATA = b"\r\n.\r\n"


class Proxy:
    """Listens on `port`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.drops = 0
        """How many of the next mails are taken by the server without the client being told."""
        self.cuts = 0
        """How many of the next mails are cut off before their end, so that the server takes none."""
        self.dropped = 0
        self.connections = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Close everything."""
        assert self._server is not None
        self._server.close()
        self.break_all()

    def break_all(self) -> None:
        """Every connection ends, with nothing said."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        is_deaf = asyncio.Event()
        with suppress(OSError, asyncio.IncompleteReadError):
            await asyncio.gather(self._up(reader, back, is_deaf), self._down(there, writer, back, is_deaf))
        for each in (writer, back):
            self._writers.discard(each)
            each.transport.abort()

    async def _up(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, is_deaf: asyncio.Event) -> None:
        seen = b""
        while data := await reader.read(65536):
            seen = (seen + data)[-65536:]
            if END_OF_DATA in seen:
                if self.cuts:
                    self.cuts -= 1
                    raise ConnectionResetError
                if self.drops:
                    self.drops -= 1
                    is_deaf.set()
                seen = b""
            back.write(data)
            await back.drain()
        back.write_eof()

    async def _down(
        self,
        there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        is_deaf: asyncio.Event,
    ) -> None:
        while data := await there.read(65536):
            if is_deaf.is_set():
                self.dropped += 1
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def proxied(target: int) -> AsyncIterator[Proxy]:
    """A proxy before a port."""
    proxy = Proxy(target)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
