/**
 * What Cloudflare bills besides requests: calls of Durable Objects, and rows that they read and write. Counted in the real
 * objects, by classes around them.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { apiOf, oneService, type StartedService, send, startService, startWorker, TOKEN } from "./world.ts";

interface Counts {
  calls: number;
  rowsRead: number;
  rowsWritten: number;
}

/** A remembered session is asked about again after this time at the earliest. */
const REFRESH_MS = 600;
/** A watched session's object gets a batch of reports after this time at the earliest. */
const BATCH_MS = 250;

const COUNTED = `
import { DurableObject } from "cloudflare:workers";
import worker, { DirectoryObject as Directory, SessionObject as Session } from "./worker/index.ts";
const counts = { calls: 0, rowsRead: 0, rowsWritten: 0 };
let isPatched = false;
function counted(Base) {
  class Counted extends Base {
    constructor(state, env) {
      super(state, env);
      if (isPatched) return;
      isPatched = true;
      const prototype = Object.getPrototypeOf(state.storage.sql);
      const { exec } = prototype;
      prototype.exec = function (...query) {
        const cursor = exec.apply(this, query);
        // What a cursor has read is known when it was walked through, which all of ours are at once.
        queueMicrotask(() => {
          counts.rowsRead += cursor.rowsRead;
          counts.rowsWritten += cursor.rowsWritten;
        });
        return cursor;
      };
    }
  }
  for (const name of Object.getOwnPropertyNames(Base.prototype)) {
    if (name === "constructor" || name === "alarm") continue;
    const method = Base.prototype[name];
    if (typeof method !== "function") continue;
    Counted.prototype[name] = function (...parameters) {
      counts.calls++;
      return method.apply(this, parameters);
    };
  }
  return Counted;
}
export class DirectoryObject extends counted(Directory) {}
export class SessionObject extends counted(Session) {}
export default {
  ...worker,
  fetch(request, env, context) {
    if (new URL(request.url).pathname !== "/counts") return worker.fetch(request, env, context);
    const so_far = Response.json(counts);
    for (const key of Object.keys(counts)) counts[key] = 0;
    return so_far;
  },
};`;

const folder = mkdtempSync(join(tmpdir(), "linkup-object-calls-"));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let worker: Awaited<ReturnType<typeof startWorker>>;
let web: StartedService;

beforeAll(async () => {
  const bundle = join(folder, "worker.js");
  await build({
    stdin: { contents: COUNTED, resolveDir: resolve(import.meta.dirname, "../../.."), loader: "js" },
    outfile: bundle,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
  });
  web = await startService("web", (_, response) => response.end("web"));
  worker = await startWorker({ bundle });
});
afterAll(async () => {
  agent.destroy();
  await worker.stop();
  await web.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What was counted since the last call. */
async function counts(): Promise<Counts> {
  return JSON.parse((await send(worker.url, "/counts")).body);
}

const save = (name: string, more: object = {}) =>
  apiOf(worker.url)("POST", "/linkup/v2/sessions/preview", {
    ...oneService(web.url),
    desired_name: name,
    session_token: "t",
    ...more,
  });

async function visit(name: string, cookie = ""): Promise<void> {
  const { hostname, port } = new URL(worker.url);
  const headers = { host: `${name}.example.com`, cookie };
  const asked = request({ agent, hostname, port, path: "/", headers }).end();
  const [response] = await once(asked, "response");
  expect(response.statusCode).toBe(200);
  await once(response.resume(), "end");
}

/** Visits until the session was checked some times: what was counted, and how many checks there was time for. */
async function steadyTraffic(visitOnce: () => Promise<void>) {
  await visitOnce();
  await counts();
  const started = performance.now();
  let requests = 0;
  while (performance.now() - started < 3 * REFRESH_MS || requests < 300) {
    await visitOnce();
    requests++;
  }
  const checks = (performance.now() - started) / REFRESH_MS;
  return { ...(await counts()), checks };
}

test("a toggle costs two objects some calls and rows, whatever there is besides", async () => {
  await save("one");
  await counts();
  await save("one");
  const alone = await counts();
  for (let index = 0; index < 50; index++) await save(`other-${index}`);
  await counts();
  await save("one");
  expect(await counts()).toEqual(alone);
  expect(alone.calls).toBeLessThanOrEqual(4);
  expect(alone.rowsWritten).toBeLessThanOrEqual(12);
});

test("steady traffic asks the session's object at most once in a while, and reads no directory", async () => {
  await save("busy");
  const { calls, checks, rowsWritten } = await steadyTraffic(() => visit("busy"));
  expect(calls).toBeLessThanOrEqual(1 + checks);
  expect(rowsWritten).toBeLessThanOrEqual(2);
});

test("a private session's steady traffic, with a cookie, costs no more", async () => {
  await save("secret", { access: "private" });
  const invite = await apiOf(worker.url)("POST", "/linkup/v2/sessions/secret/invites", {});
  const joined = await send(worker.url, "/linkup/join", {
    method: "POST",
    headers: { host: "secret.example.com", "content-type": "application/x-www-form-urlencoded" },
    body: `token=${new URL(String(invite.json().url)).hash.slice(1)}`,
  });
  const cookie = joined.headers["set-cookie"]![0]!.split(";", 1)[0]!;
  const { calls, checks, rowsWritten } = await steadyTraffic(() => visit("secret", cookie));
  expect(calls).toBeLessThanOrEqual(1 + checks);
  expect(rowsWritten).toBeLessThanOrEqual(2);
});

test("a watched session's reports are sent in batches, which cost calls and no rows", async () => {
  await save("seen");
  const socket = new WebSocket(`${worker.url.replace("http", "ws")}/linkup/v2/sessions/seen/watch`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  await once(socket, "open");
  try {
    const { calls, checks, rowsWritten } = await steadyTraffic(() => visit("seen"));
    // A batch collects for BATCH_MS.
    expect(calls).toBeLessThanOrEqual(2 + checks + (checks * REFRESH_MS) / BATCH_MS);
    expect(rowsWritten).toBeLessThanOrEqual(2);
  } finally {
    socket.close();
    await once(socket, "close");
  }
});

test("unknown names cost a call of the directory now and then, and no object of their own", async () => {
  await send(worker.url, "/", { headers: { host: "nobody.example.com" } });
  await counts();
  const started = performance.now();
  for (let index = 0; index < 200; index++)
    await send(worker.url, "/", { headers: { host: `nobody-${index}.example.com` } });
  const { calls, rowsRead, rowsWritten } = await counts();
  expect(calls).toBeLessThanOrEqual(2 + (performance.now() - started) / REFRESH_MS);
  expect([rowsRead, rowsWritten]).toEqual([0, 0]);
});
