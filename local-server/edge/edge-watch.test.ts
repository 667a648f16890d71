import { expect, test } from "vitest";
import { Sessions } from "../served-sessions.ts";
import { EdgeWatch } from "./edge-watch.ts";

const document = {
  session: {
    session_token: "owner",
    services: [{ name: "web", location: "https://web.example.net" }],
    domains: [{ domain: "example.com", default_service: "web" }],
  },
  // A Worker that cannot tell its requests.
  edge: null,
};

test("a session that comes while somebody follows is watched at once, and later ones are not", () => {
  const sessions = new Sessions();
  const told: string[] = [];
  const watch = new EdgeWatch(sessions, {
    statusChanged: ({ session, state }) => told.push(`${session} ${state}`),
    reported() {},
    dropped() {},
  });
  watch.follow();
  expect(told).toEqual([]);
  expect(sessions.put("slim-gecko", document).ok).toBe(true);
  expect(told).toEqual(["slim-gecko unsupported"]);
  watch.end();
  sessions.put("bold-cat", document);
  expect(told.length).toBe(1);
});
