import { createServer } from "node:net";
import { expect, test } from "vitest";
import {
  fromLsof,
  fromNetstat,
  fromProc,
  listeningPorts,
} from "../../../extension/language/document/listening-ports.ts";

test("this machine's", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  try {
    expect(await listeningPorts()).toContain(port);
  } finally {
    await new Promise((done) => server.close(done));
  }
  expect(await listeningPorts()).not.toContain(port);
});

test("as each system writes them", () => {
  expect([
    ...fromProc(`  sl  local_address rem_address   st
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:1F90 0100007F:ABCD 01 00000000:00000000 00:00000000 00000000     0        0 1 1
   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000
`),
  ]).toEqual([3000, 80]);
  expect([...fromLsof("p123\nf20\nn*:3000\nn[::1]:5173\n")]).toEqual([3000, 5173]);
  expect([
    ...fromNetstat(`  Proto  Local Address          Foreign Address        State
  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING
  TCP    127.0.0.1:3000         0.0.0.0:0              ABHÖREN
  TCP    127.0.0.1:50000        127.0.0.1:3000         ESTABLISHED
  TCP    [::]:5173              [::]:0                 LISTENING
`),
  ]).toEqual([135, 3000, 5173]);
});

test("unknown on other systems", async () => {
  expect(await listeningPorts("aix")).toBeUndefined();
});
