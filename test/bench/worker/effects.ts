/** What the Worker does besides plain requests: WebSockets, the effect of a toggle, its own start. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { WebSocket } from "ws";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import { median, percentile } from "../statistics.ts";
import { cpuOf } from "./cpu.ts";
import { run } from "./load.ts";
import { createSession } from "./sessions.ts";

/** p50 and p99 of a message there and back, in milliseconds. */
export async function socketTimes(url: string, name: string): Promise<[number, number]> {
  const socket = new WebSocket(url.replace("http", "ws"), {
    headers: { host: `${name}.example.com` },
    perMessageDeflate: false,
  });
  await once(socket, "open");
  const times: number[] = [];
  for (let n = 0; n < 3000; n++) {
    const started = performance.now();
    socket.send("message");
    await once(socket, "message");
    times.push(performance.now() - started);
  }
  socket.close();
  await once(socket, "close");
  return [percentile(times, 0.5), percentile(times, 0.99)];
}

/** Milliseconds from the call that changes a session to the first request that follows it, asked for without a pause. */
export async function toggleTimes(url: string, upstream: string): Promise<number[]> {
  const other = fork(resolve(import.meta.dirname, "upstream.ts"));
  const [otherPort] = (await once(other, "message")) as [number];
  const times: number[] = [];
  const locations = [`http://127.0.0.1:${otherPort}`, "http://127.0.0.1:1", upstream, "http://127.0.0.1:1"];
  let reachable = true;
  for (let n = 0; n < 40; n++) {
    const location = locations[n % locations.length]!;
    const started = performance.now();
    await createSession(url, "toggled", location);
    const wanted = !location.endsWith(":1");
    if (n > 0 && wanted !== reachable) {
      while ((await isReachable(url, "toggled")) !== wanted);
      times.push(performance.now() - started);
    }
    reachable = wanted;
  }
  other.disconnect();
  return times;
}

async function isReachable(url: string, name: string): Promise<boolean> {
  const head = () => `GET / HTTP/1.1\r\nHost: ${name}.example.com\r\n\r\n`;
  return run({ url, connections: 1, requests: 1, head }).then(
    () => true,
    () => false,
  );
}

type Start = Parameters<typeof startWorker>[0];

/** CPU in milliseconds from the start of workerd until it listens, by which time it has run the Worker's code. */
export async function startUp(ours: Start, passThrough: Start): Promise<number> {
  const start = async (options: Start) => {
    const worker = await startWorker(options);
    const used = cpuOf(worker.pid);
    await worker.stop();
    return used;
  };
  const differences: number[] = [];
  for (let n = 0; n < 9; n++) {
    const without = await start(passThrough);
    differences.push((await start(ours)) - without);
  }
  return median(differences);
}
