import { expect, test } from "vitest";
import type { Env } from "../env.ts";
import { lifetimes, sessionExpires, tunnelExpires } from "./lifetime.ts";

const env = (vars: object) => vars as Env;
const DAY = 24 * 60 * 60 * 1000;

test("sessions live for 30 days without use, tunnels for 7, unless the Worker says otherwise", () => {
  expect(lifetimes(env({}))).toEqual({ session: 30 * DAY, tunnel: 7 * DAY });
  expect(lifetimes(env({ LINKUP_SESSION_UNUSED_S: "60", LINKUP_TUNNEL_UNUSED_S: "5" }))).toEqual({
    session: 60_000,
    tunnel: 5_000,
  });
  for (const nonsense of ["", "0", "-1", "soon"])
    expect(lifetimes(env({ LINKUP_TUNNEL_UNUSED_S: nonsense })).tunnel).toBe(7 * DAY);
});

test("a session's own time counts from its last update, the Worker's from its last use", () => {
  const limits = { session: 1000, tunnel: 100 };
  expect(sessionExpires({ updated: 5, used: 50, expires_in: null }, limits)).toBe(1050);
  expect(sessionExpires({ updated: 5, used: 50, expires_in: 2 }, limits)).toBe(2005);
});

test("a tunnel is used by a start and by a request", () => {
  const limits = { session: 1000, tunnel: 100 };
  expect([tunnelExpires(5, 50, limits), tunnelExpires(50, 5, limits)]).toEqual([150, 150]);
});
