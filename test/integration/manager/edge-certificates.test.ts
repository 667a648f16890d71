/** Hosts two labels below a zone, for which Cloudflare has no certificate of its own. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { hasCertificate } from "../../../manager/components/worker-api/edge-certificates.ts";
import type { HealthReport } from "../../../manager/doctor/report.ts";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { World } from "./world.ts";

test("a handshake tells whether there is one", async () => {
  const authority = await createAuthority(["example.com"], Date.now());
  const leaf = await issueLeaf(authority, "api.example.com", Date.now());
  const server = createServer({ cert: leaf.certificate, key: leaf.key });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const ca = authority.certificate;
  expect(await hasCertificate("slim-gecko.api.example.com", { at, ca })).toBe(true);
  expect(await hasCertificate("slim-gecko.other.example.com", { at, ca })).toBe(false);
  expect(await hasCertificate("slim-gecko.api.example.com", { at })).toBe(false);
  server.close();
  expect(await hasCertificate("slim-gecko.api.example.com", { at, ca })).toBe(false);
});

describe("a session with such a domain", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create("cloudflare");
    world.writeConfig(world.configPath, {
      domain: "example.test",
      more: "  - domain: api.example.test\n    default_service: web\n",
    });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  test("lists the host that works, and says of the other one what helps", async () => {
    const started = await world.json<{ session_name: string }>("start", "--detach");
    const name = started.session_name;
    const refused = `https://${name}.api.example.test/`;
    expect(started).toMatchObject({
      urls: [`https://${name}.example.test/`],
      urls_without_certificate: [refused],
    });
    const { sessions } = await world.json<Snapshot>("status");
    expect(sessions).toMatchObject([
      { urls: [`https://${name}.example.test/`], urlsWithoutCertificate: [refused] },
    ]);
    expect((await world.linkup("status")).stdout).toContain(`${refused} has no certificate at Cloudflare`);
    const health = JSON.parse((await world.linkup("health", "--json")).stdout) as HealthReport;
    expect(health.checks).toContainEqual(
      expect.objectContaining({
        id: "address",
        subject: refused,
        state: "warning",
        found: expect.stringContaining("an advanced certificate for *.api.example.test"),
      }),
    );
  });
});
