#!/usr/bin/env bash
# paho-mqtt: publish() with quality of service 1 waits for a callback on_publish that is running.
#
# Expected: publish() queues and returns; a lock of one's own, taken around publish() to note its number and in on_publish
#   to look the number up, is harmless, as it is with quality of service 0.
# Happens: a confirmation is handled under the mutex of outgoing messages, on_publish included, and publish() takes the
#   same mutex where the quality is 1 or 2. So it waits for the callback; with such a lock both can wait for ever.
# Versions: paho-mqtt 2.2.0.
# Known since: issue 226 of paho.mqtt.python, 2017, closed since.
# How we live with it: the MQTT bridge has no on_publish; it asks each message whether it is published.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check paho-mqtt==2.2.0
"$room/venv/bin/python" - <<'PYTHON'
import socket
import struct
import sys
import threading
from importlib.metadata import version

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def serve(listener: socket.socket) -> None:
    """A broker that accepts one client and confirms what it publishes."""
    peer, _ = listener.accept()
    while len(head := peer.recv(2, socket.MSG_WAITALL)) == 2:
        body = peer.recv(head[1], socket.MSG_WAITALL)
        if head[0] >> 4 == 1:
            peer.sendall(b"\x20\x02\x00\x00")
        elif head[0] >> 4 == 3 and head[0] & 6:
            (size,) = struct.unpack_from(">H", body)
            peer.sendall(b"\x40\x02" + body[2 + size : 4 + size])


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
connected, entered, leave = threading.Event(), threading.Event(), threading.Event()
client = mqtt.Client(CallbackAPIVersion.VERSION2)
client.on_connect = lambda *_: connected.set()
client.on_publish = lambda *_: (entered.set(), leave.wait())
client.connect("127.0.0.1", listener.getsockname()[1])
client.loop_start()
connected.wait(60)
client.publish("topic", "first", qos=1)
entered.wait(60)
returned = {}
for quality in (0, 1):
    thread = threading.Thread(target=client.publish, args=("topic", "second", quality), daemon=True)
    thread.start()
    thread.join(3)
    returned[quality] = not thread.is_alive()
leave.set()
print("paho-mqtt", version("paho-mqtt"))
print("publish() returned while on_publish ran, by quality of service:", returned)
if returned != {0: True, 1: False}:
    sys.exit("this is no longer so: publish() does not wait for the callback")
print("with quality of service 1 it waited until the callback had returned")
PYTHON
