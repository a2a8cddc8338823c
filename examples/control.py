"""Ask the control port for the last predictions, with pyzmq and msgpack: python control.py [ADDRESS]."""

import sys

import msgpack
import zmq

socket = zmq.Context().socket(zmq.REQ)
socket.connect(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5557")
socket.send(msgpack.packb({"ask": "last"}))
for message in msgpack.unpackb(socket.recv())["predictions"]:
    print(message["stream"], message["seq"], message["t_end"], message["label"], f"{message['confidence']:.2f}")
