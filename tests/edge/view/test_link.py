"""What comes by a link, and what is said where something else comes."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import zmq

from edge.view.link import Link
from edge.wire.keys import load_client_keys, load_server_keys, make_client_keys, make_server_keys
from edge.wire.messages import Message
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, ONE_OF_EACH, PREDICTION, WAIT_S, nothing, unchanged


def followed(link: Link, is_enough: Callable[[list[Message]], bool]) -> list[Message]:
    """Follow a link until what has come is enough."""

    async def receive() -> list[Message]:
        came: list[Message] = []
        following = asyncio.ensure_future(link.follow(lambda _link, message, _now_s: came.append(message)))
        while not is_enough(came):
            await asyncio.sleep(0.01)
        assert not following.done()
        following.cancel()
        return came

    return asyncio.run(asyncio.wait_for(receive(), WAIT_S))


def test_what_is_published_is_received():
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    for message in ONE_OF_EACH:
        publisher.publish(message)
    link = Link(publisher.address)
    assert (link.heard_s, link.has_keys) == (None, False)
    came = followed(link, lambda came: len(came) == len(ONE_OF_EACH))
    publisher.close()
    assert sorted(map(repr, came)) == sorted(map(repr, ONE_OF_EACH))
    assert link.heard_s is not None


def test_a_publisher_with_keys_is_heard_with_those_of_a_client(tmp_path: Path):
    make_server_keys(tmp_path)
    folder = make_client_keys(tmp_path, "view")
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing, load_server_keys(tmp_path))
    publisher.publish(PREDICTION)
    came = followed(Link(publisher.address, load_client_keys(folder)), bool)
    publisher.close()
    assert came == [PREDICTION]


def test_messages_of_something_else_are_told_and_do_not_end_it():
    context = zmq.Context()
    stranger = context.socket(zmq.PUB)
    link = Link(f"tcp://127.0.0.1:{stranger.bind_to_random_port('tcp://127.0.0.1')}")

    def is_told(_came: list[Message]) -> bool:
        stranger.send_multipart([b"weather.", b"rain"])
        return link.problem is not None

    followed(link, is_told)
    context.destroy(linger=0)
    assert "is it foal-edge that publishes there?" in (link.problem or "")
