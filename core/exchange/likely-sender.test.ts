import { expect, test } from "vitest";
import { likelySender } from "./likely-sender.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";

test.each([
  [{}, "a program without a User-Agent"],
  [{ "user-agent": "curl/8.5.0" }, "curl/8.5.0"],
  [{ "user-agent": "python-requests/2.32 extra" }, "python-requests/2.32"],
  [
    { "user-agent": FIREFOX, origin: "https://docs.example.org" },
    "a page of https://docs.example.org (Firefox)",
  ],
  [{ "user-agent": EDGE, referer: "https://a.example/secret?token=1" }, "a page of https://a.example (Edge)"],
  [{ "user-agent": FIREFOX, origin: "null" }, "Firefox"],
  [{ "user-agent": "node", traceparent: "00-1" }, "node; it propagates traceparent, but not tracestate"],
  [{ "user-agent": "node", tracestate: "other=1" }, "node; its tracestate names no running session"],
  [{ "user-agent": "Go-http-client/2.0", via: "1.1 mesh" }, "Go-http-client/2.0; through a proxy (1.1 mesh)"],
])("%j", (headers: Record<string, string>, sender) =>
  expect(likelySender((name) => headers[name])).toBe(sender),
);
