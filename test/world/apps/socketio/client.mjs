// Two clients of socket.io with one transport, or with the change from polling to WebSocket that is its default.
import { once } from "node:events";
import { io } from "socket.io-client";

const [url, transports] = process.argv.slice(2);
const options = { transports: transports.split(","), reconnection: false, timeout: 10_000 };
const clients = [io(url, { ...options, forceNew: true }), io(url, { ...options, forceNew: true })];
for (const client of clients)
  client.on("connect_error", (error) => {
    console.error(error);
    process.exit(1);
  });
await Promise.all(clients.map((client) => client.connected || once(client, "connect")));
const upgraded = transports.includes(",")
  ? Promise.all(
      clients.map(
        (client) => client.io.engine.transport.name === "websocket" || once(client.io.engine, "upgrade"),
      ),
    )
  : undefined;
await upgraded;
const echoed = await clients[0]
  .timeout(10_000)
  .emitWithAck("echo", { bytes: Buffer.from([0, 255]), text: "ö" });
const heard = once(clients[1], "shouted");
clients[0].emit("shout", "hello");
const [shouted] = await heard;
const used = clients.map((client) => client.io.engine.transport.name);
for (const client of clients) client.close();
console.log(JSON.stringify({ echoed: [...echoed.bytes, echoed.text], shouted, used }));
process.exit(0);
