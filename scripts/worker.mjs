// Serves the Worker on this machine, without tunnels and without an account, until it is told to end.
//   npm run worker -- [--port 8787] [--host 127.0.0.1] [--tunnel-url URL] [--persist FOLDER]
// The API's token is WORKER_TOKEN of the environment, or token123.
import { parseArgs } from "node:util";
import { startWorker } from "./embedded-worker.mjs";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8787" },
    host: { type: "string", default: "127.0.0.1" },
    "tunnel-url": { type: "string" },
    persist: { type: "string" },
  },
});

const worker = await startWorker({
  port: Number(values.port),
  host: values.host,
  token: process.env.WORKER_TOKEN || "token123",
  tunnelUrl: values["tunnel-url"],
  persist: values.persist,
});
console.log(`Worker listening on ${worker.url}`);

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    stopping = true;
    worker.stop();
  });
}
await worker.ended;
if (!stopping) {
  console.error("workerd ended by itself: see above.");
  process.exitCode = 1;
}
