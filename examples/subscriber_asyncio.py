"""Print predictions in asyncio, with pyzmq and msgpack: python subscriber_asyncio.py [ADDRESS]."""

import asyncio
import sys

import msgpack
import zmq.asyncio


async def main() -> None:
    """Print one prediction after the other."""
    socket = zmq.asyncio.Context().socket(zmq.SUB)
    socket.connect(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5556")
    socket.subscribe("emotion.")
    while True:
        _, body = await socket.recv_multipart()
        message = msgpack.unpackb(body)
        print(message["stream"], message["seq"], message["t_end"], message["label"], f"{message['confidence']:.2f}")


asyncio.run(main())
