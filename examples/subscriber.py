"""Print predictions with pyzmq and msgpack alone: python subscriber.py [ADDRESS]."""

import sys

import msgpack
import zmq

socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5556")
socket.subscribe("emotion.")
while True:
    _, body = socket.recv_multipart()
    message = msgpack.unpackb(body)
    print(message["stream"], message["seq"], message["t_end"], message["label"], f"{message['confidence']:.2f}")
