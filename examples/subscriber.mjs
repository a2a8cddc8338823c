// Print predictions in Node.js: npm install zeromq @msgpack/msgpack; node subscriber.mjs [ADDRESS]
import { decode } from "@msgpack/msgpack";
import { Subscriber } from "zeromq";

const socket = new Subscriber();
socket.connect(process.argv[2] ?? "tcp://127.0.0.1:5556");
socket.subscribe("emotion.");
for await (const [topic, body] of socket) {
  const message = decode(body, { useBigInt64: true }); // a Number cannot hold nanoseconds of Unix time
  const { stream, seq, t_end, label, confidence } = message;
  console.log(`${stream} ${seq} ${BigInt(t_end)} ${label} ${confidence.toFixed(2)}`);
}
