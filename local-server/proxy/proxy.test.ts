import { expect, test } from "vitest";
import type { AutoState } from "../../core/session/session-document.ts";
import type { Client } from "../downstream/client.ts";
import { Fields } from "../http/fields.ts";
import { Sessions } from "../served-sessions.ts";
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

/** A request for a service that is routed automatically, whose local copy has begun to listen and was not looked at since. */
function forCopyThatListens() {
  let state: AutoState = "remote";
  const sessions = new Sessions();
  sessions.stateOf = () => state;
  const put = sessions.put("slim-gecko", {
    session: {
      session_token: "owner",
      services: [
        { name: "web", location: "http://localhost:4000", fallback: "https://web.example.net" },
        { name: "api", location: "https://api.example.net" },
      ],
      domains: [
        { domain: "example.com", default_service: "web", routes: [{ path: "^/api/", service: "api" }] },
      ],
    },
  });
  if (!put.ok) throw new Error(put.errors.join());
  const looks: string[] = [];
  const asked: string[] = [];
  const looking = Promise.withResolvers<void>();
  const serve = proxy("browser", {
    sessions,
    pagePorts: [],
    tunnels: new Set(),
    pool: {
      acquire(origin: string) {
        asked.push(origin);
        return () => {};
      },
    },
    localCopies: {
      lookAgain(location: string) {
        looks.push(location);
        return looking.promise;
      },
    },
  } as unknown as ProxyParts);
  const request = (target: string) => {
    const client = {
      method: "GET",
      protocol: "HTTP/1.1",
      host: "slim-gecko.example.com",
      target,
      fields: new Fields([]),
      header: () => undefined,
      onGone() {},
    } as unknown as Client;
    serve(client);
    return client;
  };
  const look = async () => {
    state = "local";
    sessions.resolve();
    looking.resolve();
    await looking.promise;
  };
  return { request, look, looks, asked };
}

test("a request waits for a look at its service's local copy, and goes where that is now", async () => {
  const { request, look, looks, asked } = forCopyThatListens();
  request("/");
  expect(looks).toEqual(["http://localhost:4000"]);
  expect(asked).toEqual([]);
  await look();
  expect(asked).toEqual(["http://localhost:4000"]);
});

test("one for another service does not", () => {
  const { request, looks, asked } = forCopyThatListens();
  request("/api/");
  expect(looks).toEqual([]);
  expect(asked).toEqual(["https://api.example.net"]);
});

test("nothing is sent for a client that has gone meanwhile", async () => {
  const { request, look, asked } = forCopyThatListens();
  request("/").onGone();
  await look();
  expect(asked).toEqual([]);
});
