/** A company's network: others are reached by a proxy only, which shows certificates of the company's own authority. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { World } from "../manager/world.ts";

const PROXY_USER = `Basic ${Buffer.from("ada:p@ss").toString("base64")}`;

let world: World;
let asked: string[];
const servers: { close(): unknown; closeAllConnections(): void }[] = [];

beforeEach(async () => {
  world = await World.create();
  asked = [];
  const authority = await createAuthority(["corp.test"], Date.now());
  const { certificate: cert, key } = await issueLeaf(authority, "corp.test", Date.now());
  const outside = createTlsServer({ cert, key }, (incoming, response) => {
    if (incoming.headers.host !== "linkup.corp.test")
      return response.end(`deployed ${incoming.headers.host}`);
    const { method, url, headers } = incoming;
    const worker = request({ host: "127.0.0.1", port: world.workerPort, method, path: url, headers });
    incoming.pipe(worker);
    worker.on("response", (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
  });
  const proxy = createServer().on("connect", (head, client) => {
    if (head.headers["proxy-authorization"] !== PROXY_USER)
      return client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    asked.push(head.url!);
    const tunnel = connect((outside.address() as AddressInfo).port, "127.0.0.1");
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    tunnel.pipe(client).pipe(tunnel);
    for (const socket of [tunnel, client]) socket.on("error", () => {});
    client.on("close", () => tunnel.destroy());
  });
  for (const server of [outside, proxy]) {
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const file = join(world.folder, "company.pem");
  writeFileSync(file, authority.certificate);
  const { port } = proxy.address() as AddressInfo;
  Object.assign(world.env, {
    HTTPS_PROXY: `http://ada:p%40ss@127.0.0.1:${port}`,
    LINKUP_WORKER_HOST: "linkup.corp.test",
    // What the system trusts, for this process.
    SSL_CERT_FILE: file,
  });
  writeFileSync(
    world.configPath,
    `linkup: {worker_url: "https://linkup.corp.test"}
services:
  - {name: web, remote: "https://web.corp.test", local: "${world.location("local web")}"}
domains:
  - {domain: shop.localhost, default_service: web}
`,
  );
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

// Only there the system's authorities are a file that a test can name.
test.skipIf(process.platform !== "linux")(
  "the Worker and deployed services are asked by the proxy",
  async () => {
    await world.json("sessions", "create-preview", "web=https://pr.corp.test");
    expect(asked).toContain("linkup.corp.test:443");

    const { session_name, urls } = await world.json<{ session_name: string; urls: string[] }>(
      "start",
      "--detach",
      "--isolated",
    );
    const port = Number(new URL(urls[0]!).port);
    const host = `${session_name}.shop.localhost`;
    expect(await world.ask(host, "/", port)).toEqual({ status: 200, body: "deployed web.corp.test" });
    // What runs on this machine is reached without it.
    await world.json("route", "local", "web");
    expect(await world.ask(host, "/", port)).toEqual({ status: 200, body: "local web" });
  },
);

test("a company's authority that is not installed is what the error is about", async () => {
  world.env.SSL_CERT_FILE = "/nonexistent";
  const { code, stderr } = await world.linkup("sessions", "create-preview", "web=https://pr.corp.test");
  expect(code).toBe(4);
  expect(stderr).toContain("does not trust its certificate's authority");
});

test("a proxy that refuses is named", async () => {
  const refusing = world.env.HTTPS_PROXY!.replace("p%40ss", "wrong");
  world.env.HTTPS_PROXY = refusing;
  const { code, stderr } = await world.linkup("sessions", "create-preview", "web=https://pr.corp.test");
  expect(code).toBe(4);
  expect(stderr).toContain("407");
  const dead = "http://ada:wrong@127.0.0.1:9";
  Object.assign(world.env, { ALL_PROXY: dead, HTTPS_PROXY: "" });
  const unreached = await world.linkup("sessions", "create-preview", "web=https://pr.corp.test");
  expect(unreached.stderr).toContain("the proxy 127.0.0.1:9 cannot be reached: connect ECONNREFUSED");
  expect(unreached.stderr).not.toContain("wrong");
  Object.assign(world.env, { ALL_PROXY: "", HTTPS_PROXY: refusing });
  const { session_name, urls } = await world.json<{ session_name: string; urls: string[] }>(
    "start",
    "--detach",
    "--isolated",
  );
  const answer = await world.ask(`${session_name}.shop.localhost`, "/", Number(new URL(urls[0]!).port));
  expect(answer.status).toBe(502);
  expect(answer.body).toContain("answered 407 Proxy Authentication Required");
  expect(answer.body).not.toContain("wrong");
});
