import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answerSeen, Internet } from "./internet.ts";
import { type Api, apiOf, oneService, send, type startWorker } from "./world.ts";

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let api: Api;

beforeEach(async () => {
  internet = await new Internet().start();
  worker = await internet.startWorker();
  api = apiOf(worker.url);
});
afterEach(async () => {
  await worker.stop();
  await internet.stop();
});

const local = (name = "slim-gecko", session_token = "mine") => ({
  ...oneService("http://localhost:3000"),
  desired_name: name,
  session_token,
});
const start = (body: object = local()) => api("POST", "/linkup/v2/sessions/tunneled", body);
declare const Answer: { tunnel_data: { id: string; secret: string }; origin_secret: string };
const state = () => ({
  tunnels: internet.cloudflare.living.map(({ name }) => name),
  records: internet.cloudflare.records.map(({ name }) => name),
});
const ALL = { tunnels: ["linkup-slim-gecko"], records: ["linkup-slim-gecko.tunnels.example.net"] };
const NONE = { tunnels: [], records: [] };

describe("a tunnel through Cloudflare", () => {
  test("is made with its DNS record, and the answer has all that cloudflared needs", async () => {
    const answer = await start();
    expect(answer.status).toBe(200);
    const { tunnel_data } = answer.json() as { tunnel_data: Record<string, string | number> };
    const [tunnel] = internet.cloudflare.living;
    expect(tunnel_data).toEqual({
      account_id: "acc1",
      name: "linkup-slim-gecko",
      url: "https://linkup-slim-gecko.tunnels.example.net",
      id: tunnel!.id,
      secret: tunnel!.secret,
      last_started: expect.any(Number),
    });
    expect(Buffer.from(tunnel!.secret, "base64")).toHaveLength(32);
    expect(internet.cloudflare.records).toMatchObject([
      {
        type: "CNAME",
        name: "linkup-slim-gecko.tunnels.example.net",
        content: `${tunnel!.id}.cfargotunnel.com`,
        proxied: true,
      },
    ]);
  });

  test("carries requests to the laptop, with the secret", async () => {
    const { origin_secret } = (await start()).json();
    internet.cloudflare.living[0]!.connected = true;
    const answer = await send(worker.url, "/a?b", { headers: { host: "slim-gecko.example.com" } });
    expect(JSON.parse(answer.body)).toMatchObject({
      service: "laptop of linkup-slim-gecko",
      url: "/a?b",
      headers: { "linkup-origin-secret": origin_secret, host: "linkup-slim-gecko.tunnels.example.net" },
    });
  });

  test("a request that a route brings to the Worker at the tunnel's own host goes on to the tunnel as it is", async () => {
    const { origin_secret } = (await start()).json() as { origin_secret: string };
    internet.cloudflare.living[0]!.connected = true;
    // As the first pass sends it, whose zone is another one.
    const ask = (hops: number, more: Record<string, string> = {}) =>
      send(worker.url, "/a?b", {
        headers: {
          host: "linkup-slim-gecko.tunnels.example.net",
          "x-forwarded-host": "slim-gecko.example.com",
          "linkup-destination": "web",
          "linkup-origin-secret": origin_secret,
          "linkup-hops": String(hops),
          ...more,
        },
      });
    const seen = JSON.parse((await ask(1)).body);
    expect(seen).toMatchObject({ service: "laptop of linkup-slim-gecko", url: "/a?b" });
    expect(seen.headers["linkup-hops"]).toBe("2");
    // The probe's answer is the local server's, never this pass's.
    expect(JSON.parse((await ask(16)).body).headers["linkup-hops"]).toBe("17");
    expect((await ask(17)).status).toBe(508);
    internet.cloudflare.living[0]!.connected = false;
    expect((await ask(16)).status).toBe(530);
  });

  test("an unreachable laptop differs from an unknown session", async () => {
    await start();
    const away = await send(worker.url, "/", { headers: { host: "slim-gecko.example.com" } });
    expect([away.status, away.headers["linkup-error"]]).toEqual([502, "tunnel-down"]);
    expect(away.body).toContain("The session slim-gecko exists, but its laptop");
    const unknown = await send(worker.url, "/", { headers: { host: "nobody.example.com" } });
    expect([unknown.status, unknown.headers["linkup-error"]]).toEqual([422, "unknown-session"]);
  });

  const TUNNEL_HOST = "linkup-slim-gecko.tunnels.example.net";
  test.each([
    ["the connection breaks", (response: ServerResponse) => response.destroy()],
    [
      "the edge's error breaks off",
      (response: ServerResponse) => {
        response.writeHead(530, { "content-length": 100 }).write("error code");
        setTimeout(() => response.destroy(), 50);
      },
    ],
    [
      "a 530 that cannot be decoded",
      (response: ServerResponse) => response.writeHead(530, { "content-encoding": "gzip" }).end("not gzip"),
    ],
  ])("an unreachable laptop is told, too, where %s", async (_what, respond) => {
    await start();
    internet.hosts.set(TUNNEL_HOST, (_, response) => respond(response));
    const { status, headers } = await send(worker.url, "/", { headers: { host: "slim-gecko.example.com" } });
    expect([status, headers["linkup-error"]]).toEqual([502, "tunnel-down"]);
  });

  test("an unreachable laptop is told by the second pass through the Worker, too", async () => {
    await start();
    internet.hosts.set(TUNNEL_HOST, (_, response) => void response.destroy());
    const { status, headers, body } = await send(worker.url, "/", {
      headers: {
        host: TUNNEL_HOST,
        "x-forwarded-host": "slim-gecko.example.com",
        "linkup-destination": "web",
        "linkup-origin-secret": "x",
        "linkup-hops": "1",
      },
    });
    expect([status, headers["linkup-error"]]).toEqual([502, "tunnel-down"]);
    expect(body).toContain("Service: web\n");
  });

  test("is kept by a restart, with its secret; a toggle costs no call to Cloudflare", async () => {
    const first = (await start()).json() as { tunnel_data: object; origin_secret: string };
    const before = internet.cloudflare.calls.length;
    const second = (await start()).json() as typeof first;
    expect(internet.cloudflare.calls).toHaveLength(before);
    expect(second).toEqual({
      ...first,
      tunnel_data: { ...first.tunnel_data, last_started: expect.any(Number) },
    });
  });

  test("two starts at once make one", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => start()));
    const ids = new Set(
      answers.map((answer) => (answer.json() as { tunnel_data: { id: string } }).tunnel_data.id),
    );
    expect([answers.map(({ status }) => status), ids.size]).toEqual([Array(8).fill(200), 1]);
    expect(state()).toEqual(ALL);
    expect(internet.cloudflare.tunnels).toHaveLength(1);
  });

  test("one of the same name that is marked as this Worker's is replaced, its record too", async () => {
    await start(local("other-gecko"));
    const { metadata } = internet.cloudflare.living[0]!;
    const { comment } = internet.cloudflare.records[0]!;
    expect(metadata).toEqual({ linkup: comment });
    const old = internet.cloudflare.addTunnel("linkup-slim-gecko", { connected: true, metadata });
    internet.cloudflare.addRecord("linkup-slim-gecko.tunnels.example.net", `${old.id}.cfargotunnel.com`, {
      comment,
    });
    const answer = await start();
    expect(answer.status).toBe(200);
    await api("DELETE", "/linkup/v2/sessions/other-gecko");
    expect(state()).toEqual(ALL);
    expect(internet.cloudflare.living[0]!.id).not.toBe(old.id);
    expect(internet.cloudflare.records[0]!.content).toBe(
      `${internet.cloudflare.living[0]!.id}.cfargotunnel.com`,
    );
  });

  test.each([
    ["linkup-", "slim-gecko", true],
    ["linkup-", "slim-gecko", false],
    // A configuration without a prefix gets the default one, which no other product uses.
    ["", "gitlab", true],
  ])(
    "a tunnel of others and its record stay: prefix %j, session %s, connected: %s",
    async (prefix, session, connected) => {
      await worker.stop();
      worker = await internet.startWorker({ TUNNEL_NAME_PREFIX: prefix });
      api = apiOf(worker.url);
      const { cloudflare } = internet;
      const foreign = cloudflare.addTunnel(`${prefix}${session}`, { connected });
      cloudflare.addRecord(`${prefix}${session}.tunnels.example.net`, `${foreign.id}.cfargotunnel.com`);
      const [before] = structuredClone(cloudflare.records);
      const answer = await start(local(session));
      if (prefix === "") {
        expect(answer.status).toBe(200);
        expect(state().tunnels).toEqual(["gitlab", "linkup-tunnel-tunnels-example-net-gitlab"]);
      } else {
        expect(answer.status).toBe(502);
        expect(answer.body).toMatch(
          /Cloudflare has a tunnel named "linkup-slim-gecko" \(.*\) that this Worker did not make/,
        );
        await expect.poll(() => state().tunnels).toEqual(["linkup-slim-gecko"]);
      }
      expect(cloudflare.living[0]).toEqual(foreign);
      expect(cloudflare.records[0]).toEqual(before);
      expect((await api("DELETE", `/linkup/v2/sessions/${session}`)).status).toBe(prefix === "" ? 204 : 404);
      expect(cloudflare.living).toEqual([foreign]);
      expect(cloudflare.records).toEqual([before]);
    },
  );

  test("a record that leads to a tunnel of others stays, and is named", async () => {
    const foreign = internet.cloudflare.addTunnel("production", { connected: true });
    internet.cloudflare.addRecord("linkup-slim-gecko.tunnels.example.net", `${foreign.id}.cfargotunnel.com`);
    const [before] = structuredClone(internet.cloudflare.records);
    const answer = await start();
    expect([answer.status, answer.body]).toEqual([502, expect.stringContaining("leads to another tunnel")]);
    await expect.poll(() => state().tunnels).toEqual(["production"]);
    expect(internet.cloudflare.records).toEqual([before]);
  });

  test("the Worker recognises its own tunnels also where Cloudflare keeps no metadata", async () => {
    internet.cloudflare.keepsMetadata = false;
    internet.cloudflare.faults = [{ on: "POST /accounts", times: 1, status: 502, done: true }];
    expect((await start()).status).toBe(200);
    expect(state()).toEqual(ALL);
    expect((await api("DELETE", "/linkup/v2/sessions/slim-gecko")).status).toBe(204);
    expect(state()).toEqual(NONE);
  });

  test("a refused one is verified at once, and replaced when it is gone", async () => {
    const { tunnel_data } = (await start()).json() as { tunnel_data: { id: string } };
    const refused = { ...local(), tunnel_refused: tunnel_data.id };
    const again = (await start(refused)).json() as typeof Answer;
    expect(again.tunnel_data.id).toBe(tunnel_data.id);
    internet.cloudflare.living[0]!.deleted_at = new Date().toISOString();
    const replaced = (await start(refused)).json() as typeof Answer;
    expect(replaced.tunnel_data.id).not.toBe(tunnel_data.id);
    expect(state()).toEqual(ALL);
    // A late report of the same refusal changes nothing.
    const late = (await start(refused)).json() as typeof Answer;
    expect(late.tunnel_data.id).toBe(replaced.tunnel_data.id);
  });

  test("a stop keeps it for the same session's next start, and for no other's", async () => {
    const first = (await start()).json() as typeof Answer;
    const stop = () => api("DELETE", "/linkup/v2/sessions/slim-gecko?keep_tunnel=true");
    expect((await stop()).status).toBe(204);
    expect(state()).toEqual(ALL);
    expect((await send(worker.url, "/", { headers: { host: "slim-gecko.example.com" } })).status).toBe(422);
    await worker.runScheduled();
    expect(state()).toEqual(ALL);
    const second = (await start()).json() as typeof Answer;
    expect(second.tunnel_data.id).toBe(first.tunnel_data.id);
    await stop();
    const other = (await start(local("slim-gecko", "another's"))).json() as typeof Answer;
    expect(other.tunnel_data.id).not.toBe(first.tunnel_data.id);
    expect(other.origin_secret).not.toBe(first.origin_secret);
    expect(state()).toEqual(ALL);
  });

  test("goes with its session", async () => {
    await start();
    internet.cloudflare.living[0]!.connected = true;
    expect((await api("DELETE", "/linkup/v2/sessions/slim-gecko")).status).toBe(204);
    expect(state()).toEqual(NONE);
  });

  test("a preview has none", async () => {
    internet.hosts.set("web.example.org", answerSeen("web"));
    const answer = await api("POST", "/linkup/v2/sessions/preview", oneService("https://web.example.org"));
    const { session_name } = answer.json();
    const { body } = await send(worker.url, "/x", { headers: { host: `${session_name}.example.com` } });
    expect(JSON.parse(body)).toMatchObject({ service: "web", url: "/x" });
    expect(JSON.parse(body).headers).not.toHaveProperty("linkup-origin-secret");
    expect([internet.cloudflare.calls, state()]).toEqual([[], NONE]);
  });

  test("the first API's client gets it by name, before and after it saves the session", async () => {
    const version = { "x-linkup-version": "2.1.0" };
    const body = { ...oneService("http://localhost:80"), desired_name: "", session_token: "t" };
    const name = (await api("POST", "/linkup/local-session", body, version)).body;
    const tunnel = (await api("GET", `/linkup/tunnel?session_name=${name}`)).json();
    expect(tunnel).toMatchObject({
      name: `linkup-${name}`,
      url: `https://linkup-${name}.tunnels.example.net`,
    });
    // Such a client puts the tunnel's URL into the session itself.
    const again = await api(
      "POST",
      "/linkup/local-session",
      { ...oneService(String(tunnel.url)), desired_name: name, session_token: "t" },
      version,
    );
    expect(again.body).toBe(name);
    internet.cloudflare.living[0]!.connected = true;
    const { body: served } = await send(worker.url, "/", { headers: { host: `${name}.example.com` } });
    expect(JSON.parse(served)).toMatchObject({ service: `laptop of linkup-${name}` });
  });

  test("a name that is too long for a host name with the prefix is refused with the reason", async () => {
    const answer = await start(local("a".repeat(60)));
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(
      /desired_name: .* is too long for a tunnel: .* 67 characters, the maximum is 63/,
    );
  });
});

describe("a failure at Cloudflare leaves nothing behind and is reported", () => {
  const refused = (on: string) => ({
    on,
    status: 400,
    errors: [{ code: 1234, message: "no, for a reason" }],
  });

  test("creating the tunnel is refused", async () => {
    internet.cloudflare.faults = [refused("POST /accounts")];
    const answer = await start();
    expect([answer.status, answer.body]).toEqual([
      502,
      `Cloudflare's API did not create the tunnel "linkup-slim-gecko": no, for a reason (code 1234)`,
    ]);
    await expect.poll(state).toEqual(NONE);
  });

  test("the DNS record is refused: the tunnel is deleted again, and the next start succeeds", async () => {
    internet.cloudflare.faults = [{ ...refused("POST /zones"), times: 1 }];
    const answer = await start();
    expect([answer.status, answer.body]).toEqual([
      502,
      "Cloudflare's API did not create the DNS record linkup-slim-gecko.tunnels.example.net: no, for a reason (code 1234)",
    ]);
    await expect.poll(state).toEqual(NONE);
    expect(internet.cloudflare.tunnels).toHaveLength(1);
    expect((await start()).status).toBe(200);
    expect(state()).toEqual(ALL);
  });

  test("and the roll-back fails too: the next start finds and deletes what was left", async () => {
    internet.cloudflare.faults = [{ ...refused("POST /zones"), times: 1 }, refused("DELETE /accounts")];
    expect((await start()).status).toBe(502);
    await expect
      .poll(() => internet.cloudflare.calls.filter((call) => call.startsWith("DELETE")))
      .toHaveLength(1);
    expect(state().tunnels).toEqual(["linkup-slim-gecko"]);
    internet.cloudflare.faults = [];
    expect((await start()).status).toBe(200);
    expect(state()).toEqual(ALL);
  });

  test("a call succeeds, but its answer is lost", async () => {
    internet.cloudflare.faults = [{ on: "POST /accounts", times: 1, status: 502, done: true }];
    const answer = await start();
    expect(answer.status).toBe(200);
    expect(state()).toEqual(ALL);
  });

  test("a record that is not Linkup's stays, and is named", async () => {
    internet.cloudflare.addRecord("linkup-slim-gecko.tunnels.example.net", "192.0.2.1", { type: "A" });
    const answer = await start();
    expect(answer.status).toBe(502);
    expect(answer.body).toMatch(
      /linkup-slim-gecko\.tunnels\.example\.net \(A 192\.0\.2\.1\) conflicts with the tunnel/,
    );
    await expect.poll(state).toEqual({ ...NONE, records: ALL.records });
  });

  test("too many calls: waits once, then reports the limit", async () => {
    const limited = { on: "POST /accounts", status: 429, headers: { "retry-after": "0" } };
    internet.cloudflare.faults = [{ ...limited, times: 1 }];
    expect((await start()).status).toBe(200);
    await api("DELETE", "/linkup/v2/sessions/slim-gecko");
    internet.cloudflare.faults = [limited];
    const answer = await start();
    expect([answer.status, answer.body]).toEqual([502, expect.stringContaining("too many calls")]);
    await expect.poll(state).toEqual(NONE);
  });

  test("the API hangs: an answer comes within the time that clients wait", async () => {
    internet.cloudflare.faults = [{ on: "POST /accounts", hang: true }];
    const answer = await start();
    expect([answer.status, answer.body]).toEqual([502, expect.stringContaining("it timed out")]);
    internet.cloudflare.faults = [];
    expect((await start()).status).toBe(200);
    expect(state()).toEqual(ALL);
  });

  test("the API token lacks permissions", async () => {
    internet.cloudflare.faults = [
      { on: "POST /accounts", status: 403, errors: [{ code: 10000, message: "Authentication error" }] },
    ];
    expect((await start()).body).toContain('needs the permissions "Account · Cloudflare Tunnel · Edit"');
  });

  test("an existing session goes on when its tunnel cannot be changed", async () => {
    await start();
    internet.cloudflare.faults = [refused("POST"), refused("GET")];
    expect((await start(local("other-gecko"))).status).toBe(502);
    internet.cloudflare.living[0]!.connected = true;
    const answer = await send(worker.url, "/", { headers: { host: "slim-gecko.example.com" } });
    expect(answer.status).toBe(200);
  });
});
