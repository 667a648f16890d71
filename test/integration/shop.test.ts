// The example's services as real processes, asked over real sockets. No Worker: a small gateway stands where it would.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
} from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { parseConfig } from "../../core/config/parse-config.ts";

const SHOP = join(import.meta.dirname, "../../examples/shop");

interface Running {
  child: ChildProcess;
  /** Port of each service that said where it listens. */
  ports: Record<string, number>;
  output(): string;
}

const started: Running[] = [];
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Runs a program of the example until its output matches `until`, or it ends. */
async function run(args: string[], until: RegExp, env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const [file, ...rest] = args;
  const path = join(SHOP, file as string);
  const child = spawn(process.execPath, [path, ...rest], { env: { ...process.env, ...env } });
  let output = "";
  const ports: Record<string, number> = {};
  const running: Running = { child, ports, output: () => output };
  started.push(running);
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        for (const [, name, port] of output.matchAll(/^(\w+) \(\w+\) listening on \S+:(\d+)$/gm))
          ports[name as string] = Number(port);
        if (until.test(output)) resolve();
      });
    }
  });
  return running;
}

/** Ends a program and gives its exit code; its output is complete then. */
async function stop({ child }: Running, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  await once(child, "close");
  return child.exitCode;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what its answer holds
  json(): any;
}

async function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; host?: string } = {},
): Promise<Answer> {
  const { method = "GET", headers = {}, body, host = "127.0.0.1" } = options;
  const call = request({ host, port, path, method, headers, agent: false });
  call.end(body);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) };
}

async function connectionRefused(port: number): Promise<boolean> {
  return ask(port, "/healthz").then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
  );
}

/** Where the Worker would be: sends everything to auth, and remembers what it was asked. */
let gateway: Server;
let gatewayPort: number;
let authPort: number | undefined;
let asked: IncomingHttpHeaders[] = [];
let local: Running;

beforeAll(async () => {
  gateway = createServer(async (incoming, outgoing) => {
    asked.push(incoming.headers);
    if (authPort === undefined) return outgoing.writeHead(422).end("no session\nmore");
    const answer = await ask(authPort, incoming.url ?? "/");
    outgoing.writeHead(answer.status, answer.headers).end(answer.text);
  });
  await once(gateway.listen(0, "127.0.0.1"), "listening");
  gatewayPort = (gateway.address() as AddressInfo).port;
  const args = ["start.mjs", "--copy", "local", "--ports", "0,0,0", "--worker-port", String(gatewayPort)];
  local = await run(args, /^ready$/m);
  authPort = local.ports.auth;
});

afterEach(() => {
  asked = [];
});

afterAll(async () => {
  await Promise.all(started.map((running) => stop(running)));
  gateway?.close();
  gateway?.closeAllConnections();
});

const port = (name: string) => local.ports[name] as number;

describe("every service", () => {
  test.each(["web", "api", "auth"])("%s names itself and its copy in every answer", async (name) => {
    for (const [path, status] of [
      ["/healthz", 200],
      ["/whoami", 200],
      ["/not-there", 404],
    ] as const) {
      const answer = await ask(port(name), path);
      expect(answer).toMatchObject({ status, headers: { "x-served-by": name, "x-copy": "local" } });
      expect(answer.json()).toMatchObject({ service: name, copy: "local" });
    }
  });

  test("the copy and the port can come from the environment", async () => {
    const remote = await run(["web.mjs"], /listening/, { COPY: "remote", PORT: "0" });
    expect(remote.output()).toMatch(/^web \(remote\) listening on http:\/\/127\.0\.0\.1:\d+\n$/);
    const answer = await ask(remote.ports.web as number, "/");
    expect(answer.headers["x-copy"]).toBe("remote");
    expect(await stop(remote, "SIGINT")).toBe(0);
  });

  test("without a copy it says what is missing", async () => {
    const failed = await run(["auth.mjs"], /never/, { COPY: "" });
    expect(failed.child.exitCode).toBe(1);
    expect(failed.output()).toContain("--copy local or --copy remote");
  });

  test("a local copy is on both addresses of localhost", async ({ skip }) => {
    const hasIpv6 = await new Promise((resolve) => {
      const probe = createServer().once("error", () => resolve(false));
      probe.listen(0, "::1", () => probe.close(() => resolve(true)));
    });
    if (!hasIpv6) skip("this machine has no ::1");
    expect((await ask(port("web"), "/healthz", { host: "::1" })).status).toBe(200);
  });
});

describe("web", () => {
  test("the page names the copy that served it", async () => {
    const page = await ask(port("web"), "/?a=b");
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.text).toContain('id="web" data-copy="local"');
    expect(page.text).not.toContain("{{");
  });

  test("everything the page refers to is there", async () => {
    const page = await ask(port("web"), "/");
    const files = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, file]) => file as string);
    expect(new Set(files)).toEqual(new Set(["/page.css", "/page.js", "/icon.svg"]));
    for (const file of files) expect((await ask(port("web"), file)).status).toBe(200);
  });
});

describe("api", () => {
  const trace = {
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    tracestate: "linkup-session=slim-gecko,other=1",
  };

  test("whoami asks auth over its domain and passes the trace headers on, and only those", async () => {
    const arrived = {
      ...trace,
      "linkup-destination": "api",
      "x-forwarded-host": "slim-gecko.api.shop.localhost",
    };
    const answer = await ask(port("api"), "/api/whoami", { headers: arrived });
    expect(answer.json()).toMatchObject({
      service: "api",
      copy: "local",
      auth: { service: "auth", copy: "local", user: "guest" },
      headers: arrived,
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ ...trace, host: `shop.localhost:${gatewayPort}` });
    expect(asked[0]).not.toHaveProperty("linkup-destination");
    expect(asked[0]).not.toHaveProperty("x-forwarded-host");
  });

  test("whoami answers without auth too, and says what is missing", async () => {
    authPort = undefined;
    try {
      const { auth } = (await ask(port("api"), "/whoami")).json();
      expect(auth.error).toBe(
        `auth could not be asked: http://shop.localhost:${gatewayPort}/auth/whoami answered 422: no session`,
      );
    } finally {
      authPort = local.ports.auth;
    }
  });

  test("whoami says when nothing listens where auth should be", async () => {
    const gone = await run(["auth.mjs", "--copy", "remote", "--port", "0"], /listening/);
    await stop(gone);
    const url = `http://127.0.0.1:${gone.ports.auth}/auth/whoami`;
    const alone = await run(["api.mjs", "--copy", "remote", "--port", "0"], /listening/, { AUTH_URL: url });
    const { auth } = (await ask(alone.ports.api as number, "/whoami")).json();
    expect(auth.error).toMatch(`no answer from ${url}`);
    expect(auth.error).toContain("ECONNREFUSED");
  });

  test("echo tells what arrived", async () => {
    const answer = await ask(port("api"), "/api/echo?a=b", {
      method: "POST",
      headers: { "x-some": "thing" },
      body: "grüezi",
    });
    expect(answer.json()).toMatchObject({
      method: "POST",
      path: "/api/echo?a=b",
      headers: { "x-some": "thing" },
      bytes: 7,
      body: "grüezi",
    });
  });

  test("echo counts a large body without sending it back", async () => {
    const answer = await ask(port("api"), "/echo", { method: "PUT", body: "x".repeat(3_000_000) });
    expect(answer.json()).toMatchObject({ bytes: 3_000_000, body: null });
  });

  test("stream sends three events", async () => {
    const answer = await ask(port("api"), "/api/stream");
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    const events = [...answer.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data as string));
    expect(events).toEqual([1, 2, 3].map((n) => ({ service: "api", copy: "local", n })));
  });
});

describe("live", () => {
  test.each(["/live", "/api/live"])("%s counts, speaks shop.v1 and echoes", async (path) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port("api")}${path}`, ["other", "shop.v1"]);
    const messages: string[] = [];
    socket.on("message", (data) => messages.push(String(data)));
    const [[response]] = await Promise.all([once(socket, "upgrade"), once(socket, "open")]);
    expect(response.headers).toMatchObject({ "x-served-by": "api", "x-copy": "local" });
    expect(socket.protocol).toBe("shop.v1");
    socket.send("hello");
    const count = (n: number) => JSON.stringify({ service: "api", copy: "local", n });
    await expect.poll(() => messages).toEqual(expect.arrayContaining([count(1), count(2), "hello"]));
    socket.close();
    await once(socket, "close");
  });

  test("another path is no WebSocket", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port("api")}/other`);
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(404);
    expect(response.headers["x-copy"]).toBe("local");
    socket.on("error", () => {}); // ws reports our giving up as an error
    socket.terminate();
  });

  test("a stopping api says goodbye", async () => {
    const api = await run(["api.mjs", "--copy", "remote", "--port", "0"], /listening/);
    const socket = new WebSocket(`ws://127.0.0.1:${api.ports.api}/live`);
    await once(socket, "message");
    const closed = once(socket, "close");
    expect(await stop(api)).toBe(0);
    expect((await closed)[0]).toBe(1001);
  });
});

describe("auth", () => {
  test("whoami sets two cookies, each in a header of its own", async () => {
    const answer = await ask(port("auth"), "/auth/whoami", {
      headers: { cookie: "shop_user=ada; shop_visits=4" },
    });
    expect(answer.json()).toEqual({ service: "auth", copy: "local", user: "ada" });
    expect(answer.headers["set-cookie"]).toEqual([
      "shop_visits=5; Path=/; HttpOnly; SameSite=Lax",
      "shop_auth_copy=local; Path=/; HttpOnly; SameSite=Lax",
    ]);
  });

  test("login redirects", async () => {
    const answer = await ask(port("auth"), "/auth/login");
    expect(answer).toMatchObject({ status: 302, headers: { location: "/", "x-served-by": "auth" } });
    expect(answer.headers["set-cookie"]?.[0]).toContain("shop_user=ada");
  });
});

describe("start", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s ends all three", async (signal) => {
    const remote = await run(["start.mjs", "--copy", "remote", "--ports", "0,0,0"], /^ready$/m);
    expect(Object.keys(remote.ports).sort()).toEqual(["api", "auth", "web"]);
    expect(await stop(remote, signal)).toBe(0);
    for (const used of Object.values(remote.ports)) expect(await connectionRefused(used)).toBe(true);
  });

  test("the services end even when start could not tell them to", async () => {
    const remote = await run(["start.mjs", "--copy", "remote", "--ports", "0,0,0"], /^ready$/m);
    await stop(remote, "SIGKILL");
    for (const used of Object.values(remote.ports))
      await expect.poll(() => connectionRefused(used)).toBe(true);
  });

  test("a taken port ends it all with an explanation", async () => {
    const taken = port("web");
    const failed = await run(["start.mjs", "--copy", "remote", "--ports", `0,0,${taken}`], /never/);
    expect(failed.child.exitCode).toBe(1);
    expect(failed.output()).toContain(`auth (remote): port ${taken} of 127.0.0.1 is taken`);
    for (const used of Object.values(failed.ports)) expect(await connectionRefused(used)).toBe(true);
  });

  test("bad arguments are explained", async () => {
    const failed = await run(["start.mjs", "--copy", "local", "--ports", "1,2"], /never/);
    expect(failed.child.exitCode).toBe(1);
    expect(failed.output()).toContain("--ports takes three ports");
  });
});

test("linkup.yaml has no problems and names the services' own ports", async () => {
  const { PORTS } = await import(pathToFileURL(join(SHOP, "ports.mjs")).href);
  const parsed = parseConfig(readFileSync(join(SHOP, "linkup.yaml"), "utf8"));
  expect(parsed.diagnostics.filter(({ severity }) => severity !== "hint")).toEqual([]);
  expect(parsed.config?.services.map(({ name }) => name)).toEqual(["web", "api", "auth"]);
  for (const { name, remote, local: onLaptop } of parsed.config?.services ?? []) {
    expect(remote).toBe(`http://127.0.0.1:${PORTS.remote[name]}`);
    expect(onLaptop).toBe(`http://localhost:${PORTS.local[name]}`);
  }
});

describe("--lose", () => {
  const mistakes = {
    tracestate: { traceparent: TRACE },
    member: { traceparent: TRACE, tracestate: "linkup-session=nobody" },
    all: {},
  };
  test.each(Object.entries(mistakes))("%s is what api does not pass on to auth", async (lose, passedOn) => {
    const seen: IncomingHttpHeaders[] = [];
    const auth = createServer(({ headers }, response) => {
      seen.push(headers);
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(auth, "listening");
    const { port } = auth.address() as AddressInfo;
    const args = ["start.mjs", "--copy", "local", "--ports", "0,0,0", "--lose", lose];
    const shop = await run(args, /^ready$/m, { AUTH_URL: `http://127.0.0.1:${port}/whoami` });
    const session = { traceparent: TRACE, tracestate: "linkup-session=slim-gecko" };
    await ask(shop.ports.api!, "/whoami", { headers: session });
    const [{ traceparent, tracestate } = {}] = seen;
    expect({ ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) }).toEqual(passedOn);
    await stop(shop);
    auth.close();
  });

  test("anything else is refused, with what there is", async () => {
    const refused = await run(["start.mjs", "--copy", "local", "--lose", "nothing"], /never/);
    expect(refused.child.exitCode).toBe(1);
    expect(refused.output()).toContain("--lose is one of: tracestate, member, all.");
  });
});
