import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type SecureContext, type Server, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAuthority } from "../../../core/certificates/certificate-authority.ts";
import { CertificateStore } from "../../../local-server/certificates.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 20);

let directory: string;
let now: number;
let store: CertificateStore;
let server: Server;
const sockets: TLSSocket[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "linkup-certificates-"));
  now = START;
  await install(START);
  store = new CertificateStore(
    join(directory, "certificates"),
    () => ["example.com"],
    () => now,
  );
  server = createServer({
    SNICallback: (host, done) => void store.for(host).then((found) => done(null, found), done),
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** As an installation at this time does. */
async function install(time: number): Promise<void> {
  const { certificate, key } = await createAuthority(["example.com"], time);
  mkdirSync(join(directory, "certificates"), { recursive: true });
  writeFileSync(join(directory, "certificates/authority.key.pem"), key);
  writeFileSync(join(directory, "certificates/authority.crt.pem"), certificate);
}

/** A new connection, and the certificate that it was shown. */
function visit(): Promise<{ socket: TLSSocket; serial: string; ends: number }> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, servername: "slim-gecko.example.com", rejectUnauthorized: false });
  sockets.push(socket);
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const { serialNumber, valid_to } = socket.getPeerCertificate();
      resolve({ socket, serial: serialNumber, ends: Date.parse(valid_to) });
    });
  });
}

/** Visits until it is shown another certificate than this one. */
async function visitUntilNot(serial: string) {
  for (;;) {
    const next = await visit();
    if (next.serial !== serial) return next;
  }
}

test("a certificate near its end is replaced while it is served, and what is open stays open", async () => {
  const first = await visit();
  expect(first.ends).toBe(START + 90 * DAY_MS);
  now = START + 59 * DAY_MS;
  expect((await visit()).serial).toBe(first.serial);

  now = START + 61 * DAY_MS;
  // Who comes while the next one is made does not wait.
  expect((await visit()).serial).toBe(first.serial);
  const second = await visitUntilNot(first.serial);
  expect(second.ends).toBe(now + 90 * DAY_MS);
  expect((await visit()).serial).toBe(second.serial);
  expect(first.socket.destroyed).toBe(false);
});

test("one that has ended is shown to nobody", async () => {
  const first = await visit();
  now = START + 91 * DAY_MS;
  expect((await visit()).serial).not.toBe(first.serial);
});

test("at the authority's own end there is nothing to renew, until there is a new one", async () => {
  now = START + (3 * 365 - 10) * DAY_MS;
  const last = await visit();
  expect(last.ends).toBe(START + 3 * 365 * DAY_MS);
  expect((await visit()).serial).toBe(last.serial);
  await install(now);
  const next = await visit();
  expect(next.serial).not.toBe(last.serial);
  expect(next.ends).toBe(now + 90 * DAY_MS);
});

test("a host of another domain, or two labels under one, gets none", async () => {
  const context = (host: string): Promise<SecureContext> => store.for(host);
  await expect(context("bank.test")).rejects.toThrow("does not cover bank.test");
  await expect(context("a.b.example.com")).rejects.toThrow("does not cover");
});
