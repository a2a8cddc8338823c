"""Text of the page of the wire about fleets, the control port, and clients in other languages than this package's."""

FLEETS = """\
## Fleets

Behind [`foal-edge proxy`](fleet.md) the messages of many nodes come from one address. They are those above, but for
their names and one field:

- `NODE/` is put before the name of the stream, in the topic and in `stream`: `emotion.lobby/cam1.`. In a topic
  without a stream, `NODE.` follows the kind: `stats.lobby.`. What follows a stream's name in a topic stays. So
  `emotion.` is all predictions, `emotion.lobby/` those of one node, `emotion.lobby/cam1.` those of one stream.
- A node's name has at most 20 letters, digits, - and _, with a letter or a digit among them. Names of streams have
  the same characters, at most 64 of them: a `/` in a name says that the message came through a proxy. No message is
  named twice.
- `node` says which node it was, and how its clocks differ, as [Node](#node) has it.
- Nothing else changes, `session` and `seq` neither. Whoever hears two proxies of one fleet drops what has a
  `session`, topic and `seq` that was heard before.
- A new subscriber gets the last messages of the nodes that are heard. Those of a node that has been silent for three
  seconds come again when it is back.

A time of CLOCK_MONOTONIC in a message, less `node.mono_offset_ns`, is one of the proxy's machine; the same holds for
Unix time and `node.unix_offset_ns`. A program on another machine than the proxy's asks the proxy's control port for
its `clock` as it would ask a runtime's, and takes off that offset as well. In Python:

```python
from foal_edge.clock_offset import estimate_offset

proxy = estimate_offset("tcp://proxy:5557")  # again every few minutes, and when `node.proxy` changes


def captured_at(prediction) -> int:
    return proxy.through(prediction.node).ours_mono_ns(prediction.mono_end)
```"""

CONTROL = """\
## Control port

The control port, by default the port after that of the messages, is a ROUTER: connect a REQ socket, or a DEALER that
sends an empty part first. A request has one part (a REQ socket adds the empty one itself), of at most 4096 bytes: a map
in MessagePack or JSON, which is answered in its own format, or a bare word, which is answered in JSON.

| request | as a word | reply |
| --- | --- | --- |
| `{"ask": "status"}`, `{"ask": "status", "stream": "cam1"}` | `status` | [StatusReply](#statusreply) |
| `{"ask": "last"}`, `{"ask": "last", "stream": "cam1"}` | `last` | [LastReply](#lastreply) |
| `{"ask": "clock"}` | `clock` | [ClockReply](#clockreply) |
| `{"ask": "schema"}` | `schema` | JSON Schema of all messages, requests and replies; `foal-edge schema` prints it |
| `{"ask": "stop"}` | `stop` | [StopReply](#stopreply), if foal-edge was started with `--allow-stop` |

A proxy answers as well, but for `stop`: the streams are those of all its nodes, and `nodes` tells of these.

A request that is not understood or not allowed, an unknown key in it as well, is answered with a [Refusal](#refusal):
look for `error` first."""

CLIENTS = """\
## Other languages

[examples/](../examples/README.md) has a program of ten lines for each of Python, asyncio, Node.js and C++, and for the
control port; tests run them. What they have to know:

- A message has two parts. Do not set `ZMQ_CONFLATE`, which keeps single parts; to read the newest only, receive until
  nothing waits, and keep the last of each topic.
- A subscriber that is slower than the messages loses some: a gap in the `seq` of a topic says so. A new `session`
  begins at 0.
- Maps may get further fields in later versions: skip those that are unknown. `schema` changes where a field changes its
  meaning.
- The first byte of the second part tells the format: `{` is JSON.

### JavaScript

Nanoseconds of Unix time have 61 bits, a Number holds 53: `@msgpack/msgpack` rounds them, by up to 128 ns, unless it is
told `useBigInt64: true`. Then a whole number that was sent in 64 bits is a BigInt, and a smaller one a Number: take
`BigInt(message.t_end)` before computing with it. `JSON.parse` rounds as well, so subscribe to MessagePack. Fields of
type number are always Numbers. The requests have no numbers; where a program of yours sends some, note that with
`useBigInt64` a Number beyond 32 bits is sent as a float, which strict readers of integers refuse: send a BigInt.

### Keys

Where foal-edge runs with `--keys`, a client needs the folder that `foal-edge keys DIR --client NAME` made for it
(`DIR/hand-out/NAME`; below, `desk`). ZeroMQ's own CURVE does the rest. A client without the right keys gets no error,
and no message. These lines go before `connect`, in each of the examples.

Python, asyncio as well:

```python
from zmq.auth import load_certificate

socket.curve_publickey, socket.curve_secretkey = load_certificate("desk/client.key_secret")
socket.curve_serverkey, _ = load_certificate("desk/server.key")
```

Node.js, in which `import` may stand below other lines:

```js
import { readFileSync } from "node:fs";

const key = (file, kind) => readFileSync(`desk/${file}`, "utf8").match(`${kind}-key = "(.{40})"`)[1];
socket.curvePublicKey = key("client.key_secret", "public");
socket.curveSecretKey = key("client.key_secret", "secret");
socket.curveServerKey = key("server.key", "public");
```

C++, with `#include <fstream>` above:

```cpp
auto key = [](const std::string& file, const std::string& kind) {
  std::ifstream opened("desk/" + file);
  const std::string text(std::istreambuf_iterator<char>(opened), {});
  return text.substr(text.find(kind + "-key = \\"") + kind.size() + 8, 40);
};
socket.set(zmq::sockopt::curve_publickey, key("client.key_secret", "public"));
socket.set(zmq::sockopt::curve_secretkey, key("client.key_secret", "secret"));
socket.set(zmq::sockopt::curve_serverkey, key("server.key", "public"));
```"""
