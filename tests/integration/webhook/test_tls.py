"""TLS with real sockets on this machine: the certificate must be of the name, and of an authority that is known."""

import ssl
import sys
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tidemill.domain.webhook.reach import PUBLIC, Reach
from tidemill.domain.webhook_errors import ForbiddenAddressError, UnreachableError
from tidemill.outside import https
from tidemill.outside.https import SafeSender

LOOPBACK = Reach("https", ports=None, allows=lambda address: address.is_loopback, named=False)
CONNECTS: list[object] = []


def _hear(event, arguments):
    if event == "socket.connect":
        CONNECTS.append(arguments[1])


# The interpreter tells of every connect, whoever makes it. A hook can't be taken away again; this one only listens.
sys.addaudithook(_hear)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for `localhost`, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def server(certificate):
    got = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.headers["Host"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_):
            """A handshake that the sender refuses is what is tested."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = Quiet(("127.0.0.1", 0), Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, got, names
    server.shutdown()
    server.server_close()


def trusting(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    return lambda: context


def test_it_is_secured_for_the_name_and_connected_by_the_address(server, certificate, monkeypatch):
    port, got, names = server
    monkeypatch.setattr(https, "resolve", lambda *_: ["127.0.0.1"])
    CONNECTS.clear()

    answer = SafeSender(LOOPBACK, trusting(certificate)).post(LOOPBACK.target(f"https://localhost:{port}/a"), {}, b"x")

    assert answer.status == 204
    assert got == [("/a", f"localhost:{port}", b"x")]
    assert names == ["localhost"]
    assert [("127.0.0.1", port)] == CONNECTS


def test_a_certificate_of_another_name_is_refused_before_anything_is_sent(server, certificate, monkeypatch):
    port, got, _ = server
    monkeypatch.setattr(https, "resolve", lambda *_: ["127.0.0.1"])

    with pytest.raises(UnreachableError, match="no TLS"):
        SafeSender(LOOPBACK, trusting(certificate)).post(LOOPBACK.target(f"https://other.example:{port}/"), {}, b"x")

    assert got == []


def test_a_certificate_of_an_unknown_authority_is_refused(server, monkeypatch):
    port, got, _ = server
    monkeypatch.setattr(https, "resolve", lambda *_: ["127.0.0.1"])

    with pytest.raises(UnreachableError, match="no TLS"):
        SafeSender(LOOPBACK).post(LOOPBACK.target(f"https://localhost:{port}/"), {}, b"x")

    assert got == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1"])
def test_the_interpreter_saw_no_connect_to_what_is_not_public(address, monkeypatch):
    """As deployed, at the lowest level that Python has."""
    monkeypatch.setattr(https, "resolve", lambda *_: [address])
    CONNECTS.clear()

    with pytest.raises(ForbiddenAddressError):
        SafeSender().post(PUBLIC.target("https://hooks.example.com/"), {}, b"x")

    assert CONNECTS == []
