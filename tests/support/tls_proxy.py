"""A proxy that speaks TLS in front of a server without TLS."""

import asyncio
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class TLSProxy:
    """Listen on a port with a certificate of its own, and talk to the server for each client."""

    def __init__(self, port: int, folder: Path) -> None:
        self.certificate = folder / "certificate.pem"
        """The certificate, which a client must trust."""
        self.pause = 0.0
        """Seconds between two bytes of a reply; with 0, the bytes are passed on together."""
        self.port = 0
        self._target = port
        key = folder / "key.pem"
        _make_certificate(self.certificate, key)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._listens, self._ends = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._listens.wait(10)

    def close(self) -> None:
        """End all connections and the thread."""
        self._loop.call_soon_threadsafe(self._ends.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        self._listens.set()
        await self._ends.wait()
        server.close()

    async def _talk(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, questions = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            with suppress(OSError):
                await asyncio.gather(
                    self._pump(client, questions, 0.0), self._pump(server, answers, None)
                )
        finally:
            questions.close()
            answers.close()

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, pause: float | None
    ) -> None:
        while data := await source.read(65536):
            seconds = self.pause if pause is None else pause
            parts = [data] if not seconds else [bytes((byte,)) for byte in data]
            for part in parts:
                target.write(part)
                await target.drain()
                await asyncio.sleep(seconds)
        target.close()


@contextmanager
def tls_proxy_to(port: int, folder: Path) -> Iterator[TLSProxy]:
    """Give a proxy in front of a port."""
    proxy = TLSProxy(port, folder)
    try:
        yield proxy
    finally:
        proxy.close()


def _make_certificate(certificate: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
