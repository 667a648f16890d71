import { expect, test } from "vitest";
import type { Client } from "../downstream/client.ts";
import type { Sessions } from "../served-sessions.ts";
import { type ProxyParts, proxy } from "./proxy.ts";

test("a fault of ours ends the client's request, and is not swallowed", () => {
  const sessions = {
    get() {
      throw new Error("a fault");
    },
  } as unknown as Sessions;
  let broken = 0;
  const client = {
    method: "GET",
    host: "slim-gecko.example.com",
    target: "/",
    header: () => undefined,
    break: () => broken++,
  } as unknown as Client;
  const serve = proxy("browser", { sessions, pagePorts: [] } as unknown as ProxyParts);
  expect(() => serve(client)).toThrow("a fault");
  expect(broken).toBe(1);
});
