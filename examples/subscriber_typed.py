"""Print predictions as typed structs, with pyzmq and msgspec: python subscriber_typed.py [ADDRESS]."""

import sys

import msgspec
import zmq


class Prediction(msgspec.Struct):
    """Fields that this program needs; the others are skipped."""

    stream: str
    seq: int
    t_end: int
    label: str
    confidence: float


socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5556")
socket.subscribe("emotion.")
decoder = msgspec.msgpack.Decoder(Prediction)
while True:
    _, body = socket.recv_multipart()
    message = decoder.decode(body)
    print(message.stream, message.seq, message.t_end, message.label, f"{message.confidence:.2f}")
