/** What a colleague with a token, or an accident, can do at the Worker. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WorkerClient } from "../../manager/components/worker-api/worker-client.ts";
import { answerSeen, Internet } from "../integration/worker/internet.ts";
import { type Api, apiOf, oneService, send, startWorker, TOKEN } from "../integration/worker/world.ts";

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let main: Api;
let mallory: Api;
let alice: Api;

const EDGE = { host: "edge.example.net" };

beforeAll(async () => {
  internet = await new Internet().start();
  internet.hosts.set("web.example.org", answerSeen("web"));
  worker = await internet.startWorker();
  main = apiOf(worker.url);
  const named = async (name: string) => {
    const { token } = (await main("POST", "/linkup/v2/tokens", { name })).json();
    return apiOf(worker.url, String(token));
  };
  [alice, mallory] = [await named("alice"), await named("mallory")];
});
afterAll(async () => {
  await worker.stop();
  await internet.stop();
});

const preview = (api: Api, name: string, domain = "example.com", more: object = {}) =>
  api(
    "POST",
    "/linkup/v2/sessions/preview",
    {
      services: [{ name: "web", location: "https://web.example.org" }],
      domains: [{ domain, default_service: "web" }],
      desired_name: name,
      session_token: `${name}-secret`,
      ...more,
    },
    EDGE,
  );
const tunneled = (api: Api, name: string, session_token: string) =>
  api(
    "POST",
    "/linkup/v2/sessions/tunneled",
    { ...oneService("http://localhost:3000"), desired_name: name, session_token },
    EDGE,
  );
const exists = async (name: string) => (await main("GET", `/linkup/v2/sessions/${name}`)).status === 200;

describe("a session named after somebody's host", () => {
  test("a reserved name: api", async () => {
    for (const name of ["api", "www", "login", "mail"]) {
      const answer = await preview(mallory, name);
      expect([answer.status, answer.body]).toEqual([400, expect.stringContaining("is reserved")]);
    }
    const answer = await send(worker.url, "/", { headers: { host: "api.example.com" } });
    expect(answer.headers["linkup-error"]).toBe("unknown-session");
  });

  test("the first label of the Worker's own host", async () => {
    const answer = await preview(mallory, "edge");
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining("Worker's own host")]);
  });

  test("the first label of another session's domain", async () => {
    expect((await preview(alice, "alice-shop", "checkout.example.com")).status).toBe(200);
    const answer = await preview(mallory, "checkout");
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining("checkout.example.com")]);
    expect(await exists("checkout")).toBe(false);
  });

  test("a new domain that starts with a running session's name", async () => {
    expect((await preview(mallory, "billing")).status).toBe(200);
    const answer = await preview(alice, "alice-new", "billing.example.com");
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('running session "billing"')]);
    expect(await exists("alice-new")).toBe(false);
  });
});

describe("somebody else's session", () => {
  beforeAll(async () => {
    expect((await tunneled(alice, "alice-tunnel", "alice-only")).status).toBe(200);
  });

  test("deleted with another named token", async () => {
    const answer = await mallory("DELETE", "/linkup/v2/sessions/alice-tunnel");
    expect([answer.status, await exists("alice-tunnel")]).toEqual([403, true]);
  });

  test("deleted by its owner, whose token was replaced by another one: with the session's own token", async () => {
    expect((await tunneled(alice, "alice-moved", "alice-only")).status).toBe(200);
    const { token } = (await main("POST", "/linkup/v2/tokens", { name: "alice-new" })).json();
    const client = new WorkerClient(worker.url, token as string);
    await expect(client.deleteSession("alice-moved", { sessionToken: "guess" })).rejects.toThrow("403");
    expect(await client.deleteSession("alice-moved", { sessionToken: "alice-only" })).toBe(true);
  });

  test("deleted in bulk with another named token", async () => {
    await preview(mallory, "mallory-own");
    const { deleted } = (await mallory("DELETE", "/linkup/v2/sessions?name=*")).json();
    expect(deleted).toContain("mallory-own");
    expect(deleted).not.toContain("alice-tunnel");
    expect(await exists("alice-tunnel")).toBe(true);
  });

  test("taken over under another session_token", async () => {
    expect((await tunneled(mallory, "alice-tunnel", "mine-now")).status).toBe(409);
    const replaced = await mallory("POST", "/linkup/v2/sessions/tunneled", {
      ...oneService("http://localhost:3000"),
      desired_name: "alice-tunnel",
      session_token: "mine-now",
      replace: true,
    });
    expect(replaced.status).toBe(409);
  });

  test("a preview changed with the token shared by all previews", async () => {
    const shared = { session_token: "preview_session" };
    expect((await preview(alice, "alice-preview", "example.com", shared)).status).toBe(200);
    expect((await preview(mallory, "alice-preview", "example.org", shared)).status).toBe(409);
    const headers = { "linkup-session-token": "preview_session" };
    const deleted = await mallory("DELETE", "/linkup/v2/sessions/alice-preview", undefined, headers);
    expect(deleted.status).toBe(403);
  });

  test("its tunnel's secret read by the first API's call", async () => {
    const path = "/linkup/tunnel?session_name=alice-tunnel";
    const denied = await mallory("GET", path);
    expect([denied.status, denied.body.includes('secret":')]).toEqual([403, false]);
    expect((await alice("GET", path)).json()).toHaveProperty("secret");
    const withToken = await mallory("GET", path, undefined, { "linkup-session-token": "alice-only" });
    expect(withToken.status).toBe(200);
    expect((await main("GET", path)).status).toBe(200);
  });

  test("its owners may do all of it, and the audit log says who did what", async () => {
    const owned = { ...oneService("http://localhost:3000"), desired_name: "alice-tunnel" };
    const replaced = await alice("POST", "/linkup/v2/sessions/tunneled", {
      ...owned,
      session_token: "rotated",
      replace: true,
    });
    expect(replaced.status).toBe(200);
    expect((await alice("DELETE", "/linkup/v2/sessions/alice-tunnel")).status).toBe(204);
    expect((await mallory("GET", "/linkup/v2/audit")).status).toBe(403);
    const { entries } = (await main("GET", "/linkup/v2/audit?limit=1000")).json() as {
      entries: { action: string; subject: string; role: string; token: string | null }[];
    };
    const ofAlice = entries.filter(({ subject }) => subject === "alice-tunnel").reverse();
    expect(ofAlice.map(({ action, role, token }) => `${action} ${role} ${token}`)).toEqual([
      "created named alice",
      "tunnel-read named alice",
      "tunnel-read named mallory",
      "tunnel-read main null",
      "changed named alice",
      "deleted named alice",
    ]);
  });
});

describe("guesses", () => {
  const from = (address: string) => ({ "cf-connecting-ip": address });

  test("of the main token: slowed before it is compared, in every isolate", async () => {
    const other = await startWorker({
      internet: internet.address,
      twice: true,
      vars: { LINKUP_TUNNEL: "cloudflare", WORKER_TOKEN: TOKEN },
    });
    try {
      const guess = (url: string, token: string) =>
        apiOf(url, token)("GET", "/linkup/check", undefined, from("192.0.2.9"));
      const statuses = [];
      for (let n = 0; n < 62; n++) statuses.push((await guess(other.url, `guess-${n}`)).status);
      expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
      // Not even the right one tells a guesser that it is.
      expect((await guess(other.url, TOKEN)).status).toBe(429);
      expect((await guess(other.secondUrl!, TOKEN)).status).toBe(429);
      const elsewhere = await apiOf(other.url)("GET", "/linkup/check", undefined, from("192.0.2.10"));
      expect(elsewhere.status).toBe(200);
    } finally {
      await other.stop();
    }
  });

  test("of a main token that is short: it is refused, and the answer says so", async () => {
    const other = await internet.startWorker({ WORKER_TOKEN: "short" });
    try {
      const answer = await apiOf(other.url, "short")("GET", "/linkup/check");
      expect([answer.status, answer.body]).toEqual([503, expect.stringContaining("at least 16")]);
    } finally {
      await other.stop();
    }
  });

  test("of session names: one address gets few tries a minute", async () => {
    await preview(main, "found-by-guess");
    const ask = (name: string, address: string) =>
      send(worker.url, "/", { headers: { host: `${name}.example.com`, ...from(address) } });
    const statuses = new Map<number, number>();
    for (let n = 0; n < 120; n++) {
      const { status } = await ask(`guess-${n}`, "192.0.2.20");
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect(statuses.get(429)).toBeGreaterThan(10);
    // A page that goes on polling an ended session is no guesser.
    for (let n = 0; n < 120; n++) expect((await ask("ended", "192.0.2.21")).status).toBe(422);
    expect((await ask("found-by-guess", "192.0.2.21")).status).toBe(200);
  });
});
