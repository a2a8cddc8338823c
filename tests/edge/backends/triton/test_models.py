"""Models of a server against the bundle: what differs is named, with the remedy."""

import pytest

from edge.backends.triton.address import parse
from edge.bundle.load import Bundle
from edge.errors import EngineError, UnansweredError
from tests.edge.backends.triton.made_server import MadeServer

from edge.backends.triton.connection import Connection  # isort: skip
from edge.backends.triton.models import ServerInfo, check_server  # isort: skip

FUSION = "foal-nano.fusion"


def check(server: MadeServer, bundle: Bundle) -> ServerInfo:
    connection = Connection(parse(server.address))
    try:
        return check_server(connection, bundle, 30.0)
    finally:
        connection.close()


def refusal(server: MadeServer, bundle: Bundle) -> str:
    with pytest.raises(EngineError) as refused:
        check(server, bundle)
    assert not isinstance(refused.value, UnansweredError)
    return str(refused.value)


def test_models_of_the_export_are_those_of_the_bundle(server: MadeServer, shipped_bundle: Bundle) -> None:
    assert check(server, shipped_bundle) == ("triton", "2.51.0")


def test_a_model_that_is_not_there_is_named_with_those_that_are(server: MadeServer, shipped_bundle: Bundle) -> None:
    del server.configs[FUSION]
    message = refusal(server, shipped_bundle)
    assert f"has no model {FUSION} (its models: foal-nano.audio_encoder, foal-nano.image_encoder)" in message
    assert "python -m export triton" in message


def test_another_version_is_named(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.versions = {"2000", "3000"}
    message = refusal(server, shipped_bundle)
    assert "in version 2000 (READY), 3000 (READY); foal-nano 0.3.1 asks for version 3001" in message


def test_a_model_that_loads_is_waited_for(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.state = "LOADING"
    with pytest.raises(UnansweredError, match=r"is still loading foal-nano\.image_encoder; wait until it is ready"):
        check(server, shipped_bundle)


def test_other_tensors_are_named_beside_those_expected(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.configs["foal-nano.image_encoder"].input[0].dims[0] = 128
    message = refusal(server, shipped_bundle)
    assert "has inputs frames UINT8 [*, 128, 64, 3]; the bundle expects frames UINT8 [*, 64, 64, 3]" in message


def test_smaller_batches_are_refused(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.configs[FUSION].max_batch_size = 8
    assert "takes batches of up to 8; the bundle's are of up to 32" in refusal(server, shipped_bundle)


def test_a_model_of_another_file_is_refused(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.configs[FUSION].parameters["sha256_3001"].string_value = "f" * 64
    message = refusal(server, shipped_bundle)
    assert f"was made of a file with sha256 {'f' * 64}" in message
    assert "give node and server the same bundle" in message


def test_a_model_that_does_not_say_its_file_is_taken(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.configs[FUSION].parameters.clear()
    assert check(server, shipped_bundle).name == "triton"
