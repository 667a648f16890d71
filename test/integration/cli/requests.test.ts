/** `linkup requests`, and what agents are told, of requests that really came. */
import { execFile } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exchange, ExchangeDetails, FollowedExchange } from "../../../core/api/request-log-api.ts";
import type { SessionView } from "../../../manager/model/snapshot.ts";
import { until, World } from "../manager/world.ts";

const SECRET = "s3cr3t-9f8e7d6c";
let world: World;
let host: string;
let port: number;
beforeAll(async () => {
  world = await World.create();
  const session = await world.json<SessionView>(
    "sessions",
    "create-isolated",
    "mine",
    `web=${world.location("local web")}`,
  );
  const url = new URL(session.urls[0]!);
  port = Number(url.port);
  host = `mine.shop.localhost:${port}`;
});
afterAll(() => world[Symbol.asyncDispose]());

function ask(path: string, headers: Record<string, string> = {}, method = "GET", body = ""): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request(
    { host: "127.0.0.1", port, path, method, headers: { host, ...headers }, agent: false },
    (response) => {
      response.resume().on("end", () => resolve(response.statusCode!));
    },
  )
    .on("error", reject)
    .end(body);
  return promise;
}

const list = (...options: string[]) => world.json<Exchange[]>("requests", ...options);
async function newest(path: string): Promise<Exchange> {
  return until(`${path} is over`, async () =>
    (await list()).findLast(({ target, state }) => target.startsWith(path) && state !== "open"),
  );
}

test("a table with a line per request, and the likely sender of those without a session", async () => {
  await ask("/page");
  await ask("/api/x", {}, "POST", "hello");
  await ask("/lost", { host: `localhost:${port}`, "user-agent": "node" });
  await newest("/lost");
  const { stdout, code } = await world.linkup("requests");
  expect(code).toBe(0);
  const [heading, page, api, lost, sender] = stdout.split("\n").slice(0, 5);
  expect(heading).toMatch(/^ID +TIME +STATUS +METHOD +DURATION +SIZE +SERVICE +REQUEST$/);
  expect(page).toMatch(
    new RegExp(`^\\d+ +[\\d:.]{12} +200 +GET +[\\d.]+ m?s +9 B +web local +${host}/page$`),
  );
  // Both copies are on this machine.
  expect(api).toMatch(new RegExp(` 200 +POST .* api local +${host}/api/x$`));
  expect(lost).toMatch(/ 422 +GET .*localhost:\d+\/lost$/);
  expect(sender).toBe("      no session; likely sent by node");
  expect(stdout).not.toContain("\u001b");
});

test("filters, and JSON as one document", async () => {
  await ask("/filtered");
  await ask("/api/filtered");
  await ask("/filtered/lost", { host: `localhost:${port}` });
  await newest("/filtered/lost");
  const paths = async (...options: string[]) => (await list(...options)).map(({ target }) => target);
  expect(await paths("--limit", "2")).toEqual(["/api/filtered", "/filtered/lost"]);
  expect((await paths("--failed")).at(-1)).toBe("/filtered/lost");
  expect((await list("--failed")).every(({ status }) => status! >= 400)).toBe(true);
  expect((await list("--service", "api")).every(({ service }) => service === "api")).toBe(true);
  expect((await list("--session", "mine")).every(({ session }) => session === "mine")).toBe(true);
  expect(await paths("--session", "nobody")).toEqual([]);
  for (const wrong of [["--limit", "x"], ["x"], ["--curl"], ["1", "--follow"]])
    expect((await world.linkup("requests", ...wrong)).code).toBe(2);
  expect(await world.linkup("requests", "999999")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is no request 999999"),
  });
});

test("one request: decision, timings, headers without secrets; as JSON; as a curl command", async () => {
  await ask(`/one?token=${SECRET}&q=it's`, {
    authorization: `Bearer ${SECRET}`,
    cookie: `a=${SECRET}`,
    "x-own": "1",
  });
  const { id } = await newest("/one");
  const { stdout } = await world.linkup("requests", String(id));
  for (const part of [
    `${id}  GET 200`,
    "mine (the request's host): this session",
    "Service web",
    "it is the default service",
    `→ ${world.location("local web")}/one?token=***`,
    "first byte",
    "authorization: Bearer ***",
    "x-own: 1",
    "Response headers",
  ])
    expect(stdout).toContain(part);
  const details = await world.json<ExchangeDetails>("requests", String(id));
  expect(details.explanation.session).toBe("mine");
  const { stdout: command } = await world.linkup("requests", String(id), "--curl");
  expect(`${stdout}${JSON.stringify(details)}${command}`).not.toContain(SECRET);

  const before = (await list()).at(-1)!.id;
  const curl = await promisify(execFile)("sh", ["-c", `${command.trimEnd()} --silent`]);
  expect(curl.stdout).toBe("local web");
  const again = await newest("/one");
  expect(again.id).toBeGreaterThan(before);
  expect(again).toMatchObject({ target: details.target, service: "web", host });
});

test("--follow prints each completed request, and every change with --json", async () => {
  const text = world.spawnLinkup("requests", "--follow", "--limit", "0");
  const json = world.spawnLinkup("requests", "--follow", "--json", "--limit", "0");
  await until("both follow", async () => {
    await ask("/followed/ready");
    return text.output.stdout.includes("/followed/ready") && json.output.stdout.includes("/followed/ready");
  });
  await ask("/followed/now");
  await until("it is shown", () => text.output.stdout.includes("/followed/now"));
  const lines = await until("it is told", () => {
    const all: FollowedExchange[] = json.output.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    const mine = all.filter((line) => "target" in line && line.target === "/followed/now");
    return mine.length === 2 && mine;
  });
  expect(lines).toMatchObject([{ state: "open" }, { state: "complete", status: 200 }]);
  expect(text.output.stdout.match(/\/followed\/now/g)).toHaveLength(1);
  for (const { child } of [text, json]) child.kill();
});

test("without a local server the error says so", async () => {
  world.env.LINKUP_HOME = join(world.folder, "nothing");
  const { code, stderr } = await world.linkup("requests");
  world.env.LINKUP_HOME = world.home;
  expect(code).toBe(5);
  expect(stderr).toContain("No session is running, so there is no request log");
});

test("check-propagation names the services that received the session and those that lost it", async () => {
  await ask("/propagated");
  const trace = { host: `localhost:${port}`, "user-agent": "python-requests/2.32" };
  await ask("/unpropagated", { ...trace, traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` });
  await newest("/unpropagated");
  const { code, stdout } = await world.linkup("check-propagation");
  expect(code).toBe(6);
  expect(stdout).toMatch(/^✓ web got the session \(\d+ requests\)/m);
  expect(stdout).toMatch(
    /✗ python-requests\/2.32; .*sent requests without a session .*\/unpropagated\): it passes on traceparent, but not tracestate\n {4}Python: start it with `opentelemetry-instrument`/,
  );
});
