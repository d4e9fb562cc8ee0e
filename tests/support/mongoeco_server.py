"""Run mongoeco, a server with MongoDB's protocol that keeps all data in memory, on a port."""

import asyncio
import sys

from mongoeco.wire import AsyncMongoEcoProxyServer


async def serve(port: int) -> None:
    """Answer until the process ends."""
    async with AsyncMongoEcoProxyServer(port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
