/** Our command line, keeper and local server with a Worker of the original. */
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { until } from "../integration/manager/world.ts";
import { CompatMachine, DOMAIN } from "./machine.ts";

let machine: CompatMachine;
beforeEach(async () => {
  machine = await CompatMachine.create();
});
afterEach(() => machine[Symbol.asyncDispose]());

const targets = async () => (await machine.status()).sessions[0]?.services.map(({ target }) => target);

describe("with a Worker of the original", () => {
  test("a session starts, is routed, and ends without anything left", async () => {
    const { session_name: name, urls } = await machine.start();
    expect(name).toMatch(/^[a-z]+-[a-z]+$/);
    expect(urls).toEqual([`https://${name}.${DOMAIN}/`]);
    expect(await machine.served(name)).toBe("remote web");
    expect(await machine.served(name, "/api/x")).toBe("remote api");

    await machine.json("route", "local", "--all");
    expect(await machine.served(name)).toBe("local web");
    expect(await machine.served(name, "/api/x")).toBe("local api");
    expect((await machine.status()).components).toMatchObject([
      { id: "local-server", state: "ready" },
      { id: "tunnel", state: "ready" },
      { id: "worker", state: "ready", detail: expect.stringContaining("original") },
    ]);

    expect((await machine.linkup("stop")).code).toBe(0);
    await until("the end of all processes", () => machine.processes().length === 0);
  });

  test("requests are rewritten once, and both hops' headers arrive", async () => {
    const { session_name: name } = await machine.start();
    await machine.json("route", "local", "web");
    const { url, headers } = (await machine.get(name, "/foo/foo/a?b=/foo/", { cookie: "a=1" })).asked();
    expect(url).toBe("/bar/foo/a?b=/foo/");
    expect(headers).toMatchObject({
      cookie: "a=1",
      "linkup-destination": "web",
      tracestate: `linkup-session=${name}`,
      "x-forwarded-host": `${name}.${DOMAIN}`,
    });
    const cookies = await machine.get(name, "/cookies");
    expect(cookies.headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2; Path=/"]);
    expect((await machine.get(name, "/redirect")).status).toBe(302);
  });

  test("a WebSocket reaches the local copy", async () => {
    const { session_name: name } = await machine.start();
    await machine.json("route", "local", "web");
    const socket = new WebSocket(machine.worker.url.replace("http", "ws"), {
      headers: { host: `${name}.${DOMAIN}` },
    });
    await once(socket, "open");
    socket.send("hello");
    expect(String((await once(socket, "message"))[0])).toBe("local web: hello");
    socket.close();
    await once(socket, "close");
  });

  test("a toggle is confirmed when the Worker has taken it, and seen when its store lets it", async () => {
    const { session_name: name } = await machine.start();
    machine.worker.kvDelayMs = 1_500;
    await machine.json("route", "local", "web");
    expect(await targets()).toEqual(["local", "remote"]);
    await until("the toggle", async () => (await machine.served(name)) === "local web");
    await machine.json("route", "remote", "web");
    // Meanwhile the Worker's old answer leads to the local server, which knows the new one.
    for (let i = 0; i < 20; i++) expect(await machine.served(name)).toMatch(/^(local|remote) web$/);
    await until("the toggle back", async () => (await machine.served(name)) === "remote web");
  });

  test("a new name is found when the store lets it", async () => {
    machine.worker.kvDelayMs = 1_000;
    const { session_name: name } = await machine.start();
    await until("the session", async () => (await machine.served(name)) === "remote web");
    await machine.json("route", "local", "web");
    expect((await machine.start()).session_name).toBe(name);
  });

  test("a toggle that the Worker refuses is rolled back, and said", async () => {
    const { session_name: name } = await machine.start();
    machine.worker.broken = 500;
    const { code, stderr } = await machine.linkup("route", "local", "web");
    expect(code).toBe(1);
    expect(stderr).toContain("web was not switched to local");
    expect(stderr).toContain("500");
    expect(await targets()).toEqual(["remote", "remote"]);
    expect(await machine.served(name)).toBe("remote web");
    machine.worker.broken = undefined;
    await machine.json("route", "local", "web");
    expect(await machine.served(name)).toBe("local web");
  });

  test("a restart keeps the name and the targets, also when the Worker has forgotten the session", async () => {
    const { session_name: name } = await machine.start();
    await machine.json("route", "local", "web");
    await machine.linkup("stop");
    expect((await machine.start()).session_name).toBe(name);
    expect(await machine.served(name)).toBe("local web");
    await machine.linkup("stop");
    machine.worker.forget();
    expect(await machine.served(name)).toBe("422");
    expect((await machine.start()).session_name).toBe(name);
    expect(await machine.served(name)).toBe("local web");
  });

  test("a session that the Worker forgot while it ran is there again after linkup start", async () => {
    const { session_name: name } = await machine.start();
    machine.worker.forget();
    expect((await machine.start()).session_name).toBe(name);
    expect(await machine.served(name)).toBe("remote web");
  });

  test("a name that someone else has taken meanwhile: another one", async () => {
    const { session_name: name } = await machine.start();
    await machine.linkup("stop");
    machine.worker.take(name);
    const { session_name: other } = await machine.start();
    expect(other).not.toBe(name);
    expect(await machine.served(other)).toBe("remote web");
    await machine.json("route", "local", "web");
    expect(await machine.served(other)).toBe("local web");
  });

  test("a name that someone else takes while the session runs: another one, the old one is let go", async () => {
    const { session_name: name } = await machine.start();
    machine.worker.take(name);
    await machine.json("route", "local", "web");
    const [session] = (await machine.status()).sessions;
    expect(session!.name).not.toBe(name);
    await until("the new name", async () => (await machine.served(session!.name)) === "local web");
    expect(machine.processes().filter((command) => command.includes("cloudflared"))).toHaveLength(1);
  });

  test("a name to start with is asked for", async () => {
    expect((await machine.start("--name", "my-own-name")).session_name).toBe("my-own-name");
    expect(await machine.served("my-own-name")).toBe("remote web");
  });

  describe("a preview", () => {
    const preview = (...words: string[]) => machine.linkup("sessions", "create-preview", ...words);
    const location = "web=https://web.example.org";

    test("has the name that was asked for", async () => {
      const { code, stdout, stderr } = await preview("pr-12", location, "--json");
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout).name).toBe("pr-12");
      expect(machine.worker.session("pr-12")).toMatchObject({ session_token: "preview_session" });
      expect((await preview("pr-12", "web=https://other.example.org")).code).toBe(0);
      const { services } = machine.worker.session("pr-12")!;
      expect(services).toContainEqual(
        expect.objectContaining({ name: "web", location: "https://other.example.org" }),
      );
    });

    test("without a name has that of its content", async () => {
      const named = async () => JSON.parse((await preview(location, "--json")).stdout).name;
      expect(await named()).toMatch(/^[0-9a-f]{6}$/);
      expect(await named()).toBe(await named());
    });

    test("with a name that someone else has is refused", async () => {
      machine.worker.take("pr-12");
      const { code, stderr } = await preview("pr-12", location);
      expect(code).not.toBe(0);
      expect(stderr).toContain("The name pr-12 belongs to another session");
    });

    test("that gets another name is refused", async () => {
      machine.worker.garbled = '{"session_name":"abc123"}';
      const { code, stderr } = await preview("pr-12", location);
      expect(code).toBe(4);
      expect(stderr).toContain("named the preview abc123, not pr-12");
      expect((await machine.status()).sessions).toEqual([]);
    });
  });

  test("a pattern that the original does not know is told before anything is sent", async () => {
    const text = readFileSync(machine.configPath, "utf8");
    writeFileSync(machine.configPath, text.replace("path: /api/.*", "path: ^/api/(?!v1/).*"));
    const { code, stderr } = await machine.linkup("start", "--detach");
    expect(code).toBe(4);
    expect(stderr).toContain("refuses the pattern ^/api/(?!v1/).*");
    expect(machine.worker.calls.filter((call) => call.startsWith("POST"))).toEqual([]);
  });

  test("a session that nobody started for a week has expired, and is there again after linkup start", async () => {
    const { session_name: name } = await machine.start();
    machine.worker.elapsedMs = 7 * 24 * 3600_000;
    expect(await machine.served(name)).toBe("422");
    expect((await machine.start()).session_name).toBe(name);
    expect(await machine.served(name)).toBe("remote web");
  });

  test("another token is told apart", async () => {
    machine.env.LINKUP_WORKER_TOKEN = "wrong";
    const { code, stderr } = await machine.linkup("start", "--detach");
    expect(code).toBe(4);
    expect(stderr).toContain("does not accept the token");
    await until("the end of all processes", () => machine.processes().length === 0);
  });

  test("a Worker that fails for a while is not taken for one of the original that has no capabilities", async () => {
    machine.worker.broken = 503;
    const { code, stderr } = await machine.linkup("start", "--detach");
    expect(code).toBe(4);
    expect(stderr).toContain("answered 503 to GET /linkup/v2/capabilities");
    await until("the end of all processes", () => machine.processes().length === 0);
  });

  test.each([
    ["nothing that is JSON", "<html>"],
    ["no object", "null"],
    ["no name", "{}"],
    ["a name that is a path", '{"session_name":"../../name"}'],
    ["no tunnel", '{"session_name":"slim-gecko"}'],
    ["half a tunnel", '{"session_name":"slim-gecko","tunnel_data":{"account_id":"a","secret":"hidden"}}'],
  ])("an answer with %s leaves the other sessions as they are", async (_, answer) => {
    const { session_name: name } = await machine.start();
    machine.worker.garbled = answer;
    const other = machine.writeConfig({ path: join(machine.folder, "other.yaml") });
    const { code, stderr } = await machine.linkup("start", "--detach", "--config", other);
    expect(code).toBe(4);
    expect(stderr).toContain("is not a Linkup Worker");
    expect(stderr).not.toContain("hidden");
    const { sessions, problems } = await machine.status();
    expect(sessions.map(({ name }) => name)).toEqual([name]);
    expect(problems).toEqual([]);
    expect(await machine.served(name)).toBe("remote web");
  });

  test("a token with a line break is told as one", async () => {
    machine.env.LINKUP_WORKER_TOKEN = "to\nken";
    const { code, stderr } = await machine.linkup("start", "--detach");
    expect(code).toBe(4);
    expect(stderr).toContain("does not accept the token. It contains spaces, line breaks");
  });

  test("two starts at once are one session", async () => {
    const [first, second] = await Promise.all([machine.start(), machine.start()]);
    expect(first.session_name).toBe(second.session_name);
    expect(machine.processes().filter((command) => command.includes("cloudflared"))).toHaveLength(1);
  });

  test("neither arguments nor logs hold a secret", async () => {
    await machine.start();
    const state = JSON.parse(readFileSync(join(machine.home, "state.json"), "utf8"));
    const { secret } = state.sessions[0].tunnel;
    expect(secret).toHaveLength(44);
    const logs = join(machine.home, "logs");
    const texts = readdirSync(logs).map((log) => readFileSync(join(logs, log), "utf8"));
    for (const text of [...machine.processes(), ...texts]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(machine.env.LINKUP_WORKER_TOKEN);
    }
  });

  test("a linkup.yaml of the original, with keys that ours does not know and null lists", async () => {
    const text = readFileSync(machine.configPath, "utf8");
    writeFileSync(
      machine.configPath,
      `${text.replace("linkup:\n", "linkup:\n  cache_routes: null\n  worker_token: from-the-file\n  future: 1\n")}extra:\n  - 1\n`,
    );
    const { session_name: name } = await machine.start();
    expect(await machine.served(name)).toBe("remote web");
  });
});
