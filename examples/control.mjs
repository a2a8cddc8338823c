// Ask the control port for the last predictions in Node.js: node control.mjs [ADDRESS]
import { decode, encode } from "@msgpack/msgpack";
import { Request } from "zeromq";

const socket = new Request();
socket.connect(process.argv[2] ?? "tcp://127.0.0.1:5557");
await socket.send(encode({ ask: "last" }));
const [reply] = await socket.receive();
for (const { stream, seq, t_end, label, confidence } of decode(reply, { useBigInt64: true }).predictions) {
  console.log(`${stream} ${seq} ${BigInt(t_end)} ${label} ${confidence.toFixed(2)}`);
}
