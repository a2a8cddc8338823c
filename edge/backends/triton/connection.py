"""Connection to a server by gRPC: requests with a deadline, repeated where the connection broke, and their errors."""

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is an error here, stderr is the log's
import grpc
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from ...errors import EngineError, UnansweredError
from .address import ServerAddress

LARGEST_MESSAGE = (1 << 31) - 1
"""Largest message in bytes, the most that gRPC takes."""
ATTEMPTS = 3
"""Number of times that a request is sent, at most: again only where the connection was not there or broke."""
RETRIES = {
    "methodConfig": [
        {
            "name": [{"service": "inference.GRPCInferenceService"}],
            "retryPolicy": {
                "maxAttempts": ATTEMPTS,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.2s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
CHANNEL = (
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.service_config", json.dumps(RETRIES)),
    ("grpc.enable_retries", 1),
    ("grpc.per_rpc_retry_buffer_size", 1 << 26),  # a larger request is not kept for a repetition
    ("grpc.use_local_subchannel_pool", 1),  # else a new connection would inherit the pauses of the one before
)
PEM = b"-----BEGIN "
"""Begin of each part of a file in PEM."""
TLS_SIGNS = ("handshake", "ssl", "certificate", "tls")
"""Words of gRPC's messages about TLS, in lower case."""
START_REMEDY = "is it running, and is that its port for gRPC, 8001 by default? docs/triton.md starts one"


class LateError(UnansweredError):
    """Request whose time was over before a result came; the connection stands."""


class Connection:
    """A channel to a server; a new one is made to find a server again."""

    def __init__(self, address: ServerAddress) -> None:
        """Make the channel, which connects with the first request; EngineError where files of TLS cannot be used."""
        self.address = address
        credentials = tls_credentials(address) if address.is_secure else None
        self._client = InferenceServerClient(address.target, creds=credentials, channel_args=CHANNEL)

    def ask(self, method: str, *arguments: Any, deadline_s: float, **named: Any) -> Any:
        """Call a method of the client and return its result.

        LateError where no answer comes within the deadline, UnansweredError where the server is away, EngineError where
        it refuses.
        """
        try:
            return getattr(self._client, method)(*arguments, client_timeout=deadline_s, **named)
        except InferenceServerException as error:
            raise explain(self.address, error, deadline_s) from error

    def close(self) -> None:
        """Close the channel."""
        self._client.close()


def tls_credentials(address: ServerAddress) -> grpc.ChannelCredentials:
    """Return what an address's files of TLS say; EngineError where one cannot be read or is not in PEM."""
    ca, key, cert = (None if path is None else read_pem(path) for path in (address.ca, address.key, address.cert))
    return grpc.ssl_channel_credentials(ca, key, cert)


def read_pem(path: Path) -> bytes:
    """Return the content of a file in PEM; EngineError where it cannot be read or is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EngineError(f"{path} cannot be read ({error.strerror})", "let this user read it") from error
    if PEM not in content:  # gRPC would say that it cannot connect
        raise EngineError(f"{path} is not in PEM: it lacks {PEM.decode()}", "convert it with openssl")
    return content


def explain(address: ServerAddress, error: InferenceServerException, deadline_s: float) -> EngineError:
    """Return what an error of the client's means: the server, what was expected, and the remedy."""
    status, message = (error.status() or "").removeprefix("StatusCode."), (error.message() or "").strip()
    if status == "DEADLINE_EXCEEDED":
        return LateError(
            f"{address.text} has not answered within {deadline_s:.3g} s",
            "it or the network is too slow: see what it has to do, or take a longer --hop",
        )
    if status == "UNIMPLEMENTED":
        return EngineError(f"what answers at {address.text} is no Triton server ({message})", START_REMEDY)
    if status != "UNAVAILABLE":
        return EngineError(f"{address.text} refuses a request ({status}: {message})", "see the server's log")
    if any(sign in message.lower() for sign in TLS_SIGNS):
        return UnansweredError(f"{address.text} cannot be reached by TLS ({message})", tls_remedy(address))
    remedy = START_REMEDY if address.is_secure else f"{START_REMEDY}; does it ask for TLS, tritons://?"
    return UnansweredError(f"{address.text} cannot be reached ({message})", remedy)


def tls_remedy(address: ServerAddress) -> str:
    """Return what to do where TLS fails."""
    trusted = f"the certificates in {address.ca}" if address.ca else "a certificate that this machine trusts"
    return (
        f"the server's certificate must be signed by {trusted} (?ca=FILE) and name the host, a server may ask for this "
        "node's own certificate, and one without TLS is triton:// (docs/triton.md)"
    )
