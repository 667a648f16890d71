import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HealthBook } from "../../../manager/reconcile/service-health.ts";

let service: Server;
/** Whether it answers. */
let awake: boolean;
beforeEach(async () => {
  awake = true;
  service = createServer((_, response) => {
    if (awake) response.end();
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
});
afterEach(() => {
  service.closeAllConnections();
  service.close();
});

const probed = () => ({
  location: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
  check: {},
});

test("one that gets too little time to answer is not known, and asked again", async () => {
  const book = new HealthBook();
  awake = false;
  await book.refresh([probed()], 20);
  expect(book.of(probed())).toMatchObject({ health: "unknown", reason: expect.stringContaining("20 ms") });
  expect(book.knows(probed())).toBe(false);
});

test("what was known of it stays", async () => {
  const book = new HealthBook();
  await book.refresh([probed()]);
  awake = false;
  await book.refresh([probed()], 20);
  expect(book.of(probed())).toMatchObject({ health: "healthy", reason: undefined });
  await book.refresh([]);
  expect(book.knows(probed())).toBe(false);
});
