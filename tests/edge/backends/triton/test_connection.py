"""Connections over real sockets: deadlines, repetitions, TLS, and what each failure is called."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edge.backends.triton.address import parse
from edge.errors import EngineError, UnansweredError
from tests.edge.backends.triton.made_server import MadeServer, grpc

from edge.backends.triton.connection import Connection  # isort: skip  # the line above skips without the client


def ask(address: str, deadline_s: float = 30.0) -> object:
    connection = Connection(parse(address))
    try:
        return connection.ask("get_server_metadata", deadline_s=deadline_s)
    finally:
        connection.close()


def test_a_server_answers(server: MadeServer) -> None:
    assert ask(server.address).version == "2.51.0"


def test_where_nothing_listens_the_address_and_the_remedy_are_named(server: MadeServer) -> None:
    server.stop()
    with pytest.raises(UnansweredError, match=r"^triton://127\.0\.0\.1:\d+ cannot be reached \(.*8001 by default"):
        ask(server.address)


def test_a_request_is_sent_three_times_at_most_where_the_server_is_not_available(
    server: MadeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def refuse(request: object, context: grpc.ServicerContext) -> None:
        calls.append(request)
        context.abort(grpc.StatusCode.UNAVAILABLE, "not now")

    monkeypatch.setattr(server, "ServerMetadata", refuse)
    server.stop()
    server.start()
    with pytest.raises(UnansweredError, match="not now"):
        ask(server.address)
    assert len(calls) == 3


def test_what_comes_after_the_deadline_is_not_waited_for(server: MadeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    original = server.ServerMetadata

    def hold(request: object, context: grpc.ServicerContext) -> object:
        server._may_answer.wait()
        return original(request, context)

    monkeypatch.setattr(server, "ServerMetadata", hold)
    server.stop()
    server.start()
    with server.held(), pytest.raises(UnansweredError, match=r"has not answered within 0\.1 s; .* longer --hop"):
        ask(server.address, deadline_s=0.1)


@pytest.mark.parametrize(
    ("status", "says"),
    [("UNIMPLEMENTED", "is no Triton server"), ("INVALID_ARGUMENT", "refuses a request (INVALID_ARGUMENT: no)")],
)
def test_a_refusal_is_no_outage(server: MadeServer, monkeypatch: pytest.MonkeyPatch, status: str, says: str) -> None:
    code = getattr(grpc.StatusCode, status)
    monkeypatch.setattr(server, "ServerMetadata", lambda _, context: context.abort(code, "no"))
    server.stop()
    server.start()
    with pytest.raises(EngineError) as refused:
        ask(server.address)
    assert says in str(refused.value)
    assert not isinstance(refused.value, UnansweredError)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate of 127.0.0.1 that signs itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=server"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *files], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secured(server: MadeServer, certificate: Path) -> MadeServer:
    """The server, by TLS alone, which asks for the node's certificate."""
    server.stop()
    key, chain = ((certificate / name).read_bytes() for name in ("key.pem", "cert.pem"))
    return server.start(grpc.ssl_server_credentials([(key, chain)], chain, require_client_auth=True))


def test_tls_with_certificates_of_both_sides(secured: MadeServer, certificate: Path) -> None:
    files = "&".join(
        f"{name}={certificate / file}.pem" for name, file in (("ca", "cert"), ("cert", "cert"), ("key", "key"))
    )
    assert ask(f"tritons://127.0.0.1:{secured.port}?{files}").name == "triton"


def test_each_misunderstanding_about_tls_is_named(secured: MadeServer, certificate: Path) -> None:
    with pytest.raises(UnansweredError, match=r"by TLS .*a certificate that this machine trusts \(\?ca=FILE\)"):
        ask(f"tritons://127.0.0.1:{secured.port}")
    with pytest.raises(UnansweredError, match=r"does it ask for TLS, tritons://\?"):
        ask(secured.address)
    with pytest.raises(UnansweredError, match="cannot be reached"):
        ask(f"tritons://127.0.0.1:{secured.port}?ca={certificate}/cert.pem")


def test_a_server_without_tls_is_said_to_be_one(server: MadeServer) -> None:
    with pytest.raises(UnansweredError, match="one without TLS is triton://"):
        ask(f"tritons://127.0.0.1:{server.port}")


def test_a_file_of_tls_that_is_none_or_may_not_be_read_is_named(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("garbage")
    with pytest.raises(EngineError, match=r"ca\.pem is not in PEM: it lacks -----BEGIN ; convert it with openssl"):
        ask(f"tritons://127.0.0.1:1?ca={ca}")
    address = parse(f"tritons://127.0.0.1:1?ca={ca}")
    ca.unlink()
    with pytest.raises(EngineError, match=r"ca\.pem cannot be read \(No such file or directory\)"):
        Connection(address)
