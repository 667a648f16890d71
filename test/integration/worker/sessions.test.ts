import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import {
  type Api,
  apiOf,
  oneService,
  type StartedService,
  send,
  startService,
  startWorker,
  type WorkerForwardedRequest,
} from "./world.ts";

let worker: Awaited<ReturnType<typeof startWorker>>;
let laptop: StartedService;
let remote: StartedService;
let api: Api;

beforeAll(async () => {
  laptop = await startService("laptop");
  remote = await startService("remote");
  worker = await startWorker({ tunnelUrl: laptop.url });
  api = apiOf(worker.url);
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([laptop.stop(), remote.stop()]);
});

const session = () => ({
  session_token: "mine",
  services: [
    {
      name: "frontend",
      location: "http://localhost:8000",
      rewrites: [{ source: "/foo/(.*)", target: "/bar/$1" }],
    },
    { name: "backend", location: remote.url },
  ],
  domains: [
    { domain: "example.com", default_service: "frontend", routes: [{ path: "/api/.*", service: "backend" }] },
  ],
});

async function seenBy(
  path: string,
  headers: Record<string, string | string[]>,
): Promise<WorkerForwardedRequest> {
  const answer = await send(worker.url, path, { headers });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body);
}

describe("a tunneled session", () => {
  test("local services through the tunnel with the origin secret, remote ones straight without it", async () => {
    const created = await api("POST", "/linkup/v2/sessions/tunneled", {
      ...session(),
      desired_name: "slim-gecko",
    });
    expect(created.status).toBe(200);
    const { origin_secret } = created.json() as { origin_secret: string };

    const local = await seenBy("/foo/b?c=d", {
      host: "slim-gecko.example.com",
      "linkup-origin-secret": "guess",
    });
    expect([local.service, local.url]).toEqual(["laptop", "/bar/b?c=d"]);
    expect(local.headers["linkup-origin-secret"]).toBe(origin_secret);
    expect(local.headers["x-forwarded-host"]).toBe("slim-gecko.example.com");

    const api_ = await seenBy("/api/x", {
      host: "example.com",
      tracestate: "a=1,linkup-session=slim-gecko",
      "linkup-origin-secret": "guess",
    });
    expect([api_.service, api_.url]).toEqual(["remote", "/api/x"]);
    expect(api_.headers["linkup-origin-secret"]).toBeUndefined();
  });

  test("a toggle is followed by the next request", async () => {
    const before = await seenBy("/", { host: "slim-gecko.example.com" });
    const toggled = session();
    toggled.services[0]!.location = remote.url;
    await api("POST", "/linkup/v2/sessions/tunneled", { ...toggled, desired_name: "slim-gecko" });
    const after = await seenBy("/", { host: "slim-gecko.example.com" });
    expect([before.service, after.service]).toEqual(["laptop", "remote"]);
  });

  test("the tunnel's URL is that of the request, when it is on this machine", async () => {
    const own = await startService("own");
    try {
      const created = await api("POST", "/linkup/v2/sessions/tunneled", {
        ...session(),
        desired_name: "own-tunnel",
        tunnel_url: own.url,
      });
      expect(created.json()).toMatchObject({ tunnel_data: { url: own.url, name: "own-tunnel" } });
      expect((await seenBy("/", { host: "own-tunnel.example.com" })).service).toBe("own");
    } finally {
      await own.stop();
    }
  });

  test("sessions outlive the Worker, where it may keep them", async () => {
    const persist = await mkdtemp(join(tmpdir(), "linkup-persist-"));
    try {
      const first = await startWorker({ persist });
      await apiOf(first.url)("POST", "/linkup/v2/sessions/preview", {
        ...oneService(remote.url),
        desired_name: "kept",
      });
      await first.stop();
      const second = await startWorker({ persist });
      const answer = await send(second.url, "/x", { headers: { host: "kept.example.com" } });
      await second.stop();
      expect(JSON.parse(answer.body)).toMatchObject({ service: "remote", url: "/x" });
    } finally {
      await rm(persist, { recursive: true });
    }
  });
});

describe("names", () => {
  const preview = (more: object = {}) =>
    api("POST", "/linkup/v2/sessions/preview", { ...oneService(remote.url), ...more });
  const nameOf = ({ json }: Awaited<ReturnType<Api>>) => String(json().session_name);

  test("a preview never replaces another one whose name normalizes to the same", async () => {
    const name = nameOf(await preview());
    await api("DELETE", `/linkup/v2/sessions/${name}`);
    const other = { ...oneService(laptop.url), desired_name: name, session_token: "preview_session" };
    await api("POST", "/linkup/v2/sessions/preview", other);

    const next = nameOf(await preview());
    expect(next).toMatch(/^[0-9a-f]{6}$/);
    expect(next).not.toBe(name);
    expect(nameOf(await preview())).toBe(next);
    expect((await seenBy("/", { host: `${name}.example.com` })).service).toBe("laptop");
    expect((await seenBy("/", { host: `${next}.example.com` })).service).toBe("remote");
  });

  test("creating the same preview again does not disclose its services' locations", async () => {
    const holder = async (name: string) =>
      apiOf(worker.url, String((await api("POST", "/linkup/v2/tokens", { name })).json().token));
    const make = (by: Api, target: string) =>
      by("POST", "/linkup/v2/sessions/preview", { ...oneService(laptop.url), routed: { web: { target } } });
    const ada = await holder("ada");
    const name = nameOf(await make(ada, "remote"));
    expect(nameOf(await make(await holder("eve"), "local"))).toBe(name);
    const path = `/linkup/v2/sessions/${name}`;
    const invite = (await ada("POST", `${path}/invites`, { kind: "token", rights: ["route"] })).json();
    const seen = await api("GET", `${path}/routing`, undefined, { "linkup-access": String(invite.token) });
    expect(seen.json()).toMatchObject({ services: { web: { target: "remote" } } });
  });

  test("what waits of an invite ends with it, and with the session", async () => {
    const name = "routed-hare";
    const make = () =>
      api("POST", "/linkup/v2/sessions/tunneled", {
        ...oneService("http://localhost:8000"),
        desired_name: name,
        session_token: "mine",
        routed: { web: { target: "remote" } },
      });
    const mine = { "linkup-session-token": "mine" };
    const path = `/linkup/v2/sessions/${name}`;
    const invite = async () =>
      (await api("POST", `${path}/invites`, { kind: "token", rights: ["route"] }, mine)).json();
    const ask = async ({ token }: Record<string, unknown>) => {
      const headers = { "linkup-access": String(token) };
      const asked = await api("POST", `${path}/routing`, { services: { web: "local" } }, headers);
      expect(asked.status, asked.body).toBe(202);
    };
    const waiting = async () => {
      const { requests } = (await api("GET", `${path}/routing`, undefined, mine)).json();
      return (requests as { by: string }[]).map(({ by }) => by);
    };
    expect((await make()).status).toBe(200);
    const [ana, ben] = [await invite(), await invite()];
    await ask(ana);
    await ask(ben);
    expect(await waiting()).toEqual([ana.id, ben.id]);
    expect((await api("DELETE", `${path}/invites/${ana.id}`, undefined, mine)).status).toBe(204);
    expect(await waiting()).toEqual([ben.id]);
    // The next session of that name may be somebody else's.
    expect((await api("DELETE", path, undefined, mine)).status).toBeLessThan(300);
    expect((await make()).status).toBe(200);
    expect(await waiting()).toEqual([]);
    expect((await api("DELETE", path, undefined, mine)).status).toBeLessThan(300);
  });

  test("an unguessable name is never just what someone chose, and is kept by its owner alone", async () => {
    const want = (desired_name: string, session_token = "mine") =>
      preview({ desired_name, session_token, access: "unguessable" });
    const first = nameOf(await want("feature-javascript"));
    expect(first).toMatch(/^feature-javascript-[a-z0-9]{10}$/);
    expect(nameOf(await want(first))).toBe(first);
    expect(nameOf(await want(first, "other"))).not.toBe(first);
    const long = nameOf(await want("a".repeat(63)));
    expect([long.length, long.slice(0, 53)]).toEqual([63, `${"a".repeat(52)}-`]);
  });
});

describe("WebSocket", () => {
  test("messages, subprotocol, close code and reason pass both ways", async () => {
    const sockets = new WebSocketServer({ server: remote.server, handleProtocols: () => "v2.chat" });
    sockets.on("connection", (socket, request) => {
      socket.send(JSON.stringify({ url: request.url, destination: request.headers["linkup-destination"] }));
      socket.on("message", (data, isBinary) => {
        if (data.toString() === "close") socket.close(4321, "as you wish");
        else socket.send(data, { binary: isBinary });
      });
      socket.on("close", (code, reason) => closed.push([code, reason.toString()]));
    });
    const closed: [number, string][] = [];

    await api("POST", "/linkup/v2/sessions/preview", { ...oneService(remote.url), desired_name: "sockets" });
    const open = async () => {
      const socket = new WebSocket(`${worker.url.replace("http", "ws")}/live?a=b`, ["v1.chat", "v2.chat"], {
        headers: { host: "sockets.example.com" },
      });
      const [first] = await once(socket, "message");
      expect(JSON.parse(String(first))).toEqual({ url: "/live?a=b", destination: "web" });
      expect(socket.protocol).toBe("v2.chat");
      return socket;
    };

    const socket = await open();
    socket.send(Buffer.from([1, 2, 3]));
    const [echo, isBinary] = await once(socket, "message");
    expect([[...(echo as Buffer)], isBinary]).toEqual([[1, 2, 3], true]);
    socket.send("close");
    const [code, reason] = await once(socket, "close");
    expect([code, String(reason)]).toEqual([4321, "as you wish"]);

    const other = await open();
    other.close(4001, "enough");
    await once(other, "close");
    await expect.poll(() => closed).toContainEqual([4001, "enough"]);
    sockets.close();
  });
});
