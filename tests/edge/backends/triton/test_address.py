"""Addresses of servers: what they mean, and what is refused before anything is sent."""

from pathlib import Path

import pytest

from edge.backends.triton.address import ServerAddress, parse
from edge.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("triton://127.0.0.1:9001", ("triton://127.0.0.1:9001", "127.0.0.1:9001", False, False)),
        ("triton://localhost", ("triton://localhost:8001", "localhost:8001", False, False)),
        ("triton://[::1]:9001/", ("triton://[::1]:9001", "[::1]:9001", False, False)),
        ("triton://localhost?memory=shared", ("triton://localhost:8001", "localhost:8001", False, True)),
        ("triton://10.0.0.7?insecure=yes", ("triton://10.0.0.7:8001", "10.0.0.7:8001", False, False)),
        ("tritons://gpu.example:443", ("tritons://gpu.example:443", "gpu.example:443", True, False)),
    ],
)
def test_an_address_says_where_the_server_is_and_how_it_is_reached(text: str, expected: tuple[object, ...]) -> None:
    assert parse(text) == ServerAddress(*expected)


def test_files_of_tls_are_those_of_the_address(tmp_path: Path) -> None:
    for name in ("ca.pem", "node.pem", "node.key"):
        (tmp_path / name).touch()
    found = parse(f"tritons://gpu?ca={tmp_path}/ca.pem&cert={tmp_path}/node.pem&key={tmp_path}/node.key")
    assert (found.ca, found.cert, found.key) == (tmp_path / "ca.pem", tmp_path / "node.pem", tmp_path / "node.key")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("triton://", "triton://HOST:PORT, or tritons://HOST:PORT for TLS is expected"),
        ("triton://localhost:70000", "give triton://HOST:PORT"),
        ("triton://localhost/models", "is expected"),
        ("triton://me@localhost", "is expected"),
        ("triton://localhost:0", "is expected"),
        ("triton://localhost#gpu", "is expected"),
        ("triton://my host?insecure=yes", "is expected"),
        ("triton://localhost?memory=mine", "memory=mine is not among them"),
        ("triton://localhost?memory=shared&memory=shared", "each once"),
        ("triton://localhost?speed=11", "ca=FILE, cert=FILE, key=FILE, memory=shared, insecure=yes"),
        ("tritons://localhost?ca=/no/such", "there is no file '/no/such'; give a file in PEM as ca=FILE"),
        ("triton://localhost?ca=/etc/hostname", "ca are for TLS; give tritons://"),
        ("tritons://localhost?cert=/etc/hostname", "give both, cert=FILE&key=FILE"),
        ("triton://10.0.0.7?memory=shared&insecure=yes", "leave out memory=shared"),
        ("triton://10.0.0.7", "faces and voices would cross the network unencrypted; take tritons://"),
        ("triton://gpu.example", "or add ?insecure=yes"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused_with_a_remedy(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert str(refused.value).startswith(f"--backend {text}: ")
    assert says in str(refused.value)
