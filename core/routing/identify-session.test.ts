import { expect, test } from "vitest";
import { sessionCandidates } from "./identify-session.ts";
import { headOfUrl } from "./routing-input.ts";
import { tracestateSessions } from "./trace-context.ts";

const names = (url: string, headers: Record<string, string> = {}) =>
  sessionCandidates(headOfUrl(url, headers)).map(({ name, source }) => `${source}:${name}`);

test.each<[string, string, Record<string, string>, string[]]>([
  ["the host's first label", "http://slim-gecko.example.com/", {}, ["host:slim-gecko"]],
  ["not of a host with two labels", "http://example.com/", {}, []],
  ["not of a host with one label", "http://localhost/", {}, []],
  ["upper case and a port", "http://Slim-Gecko.example.com:8080/", {}, ["host:slim-gecko"]],
  [
    "x-forwarded-host",
    "http://a.net/",
    { "x-forwarded-host": "slim-gecko.example.com:443" },
    ["x-forwarded-host:slim-gecko"],
  ],
  [
    "the first of several forwarded hosts",
    "http://a.net/",
    { "x-forwarded-host": "one.b.com, two.b.com" },
    ["x-forwarded-host:one"],
  ],
  ["Referer", "http://a.net/", { referer: "https://slim-gecko.example.com/x?y" }, ["referer:slim-gecko"]],
  ["Origin", "http://a.net/", { origin: "https://slim-gecko.example.com" }, ["origin:slim-gecko"]],
  [
    "a Referer without a scheme",
    "http://a.net/",
    { referer: "slim-gecko.example.com/x" },
    ["referer:slim-gecko"],
  ],
  [
    "an Origin without a scheme",
    "http://a.net/",
    { origin: "slim-gecko.example.com:8443" },
    ["origin:slim-gecko"],
  ],
  ["no Referer that is no host", "http://a.net/", { referer: "about:blank" }, []],
  ["two labels below localhost", "http://slim-gecko.localhost:9080/", {}, ["host:slim-gecko"]],
  [
    "baggage, without its properties",
    "http://a.net/",
    { baggage: "a=1, linkup-session=slim-gecko;p" },
    ["baggage:slim-gecko"],
  ],
  ["an opaque Origin", "http://a.net/", { origin: "null" }, []],
  [
    "tracestate among others, with spaces",
    "http://a.net/",
    { tracestate: "a=1 ,\tlinkup-session=slim-gecko , b=2" },
    ["tracestate:slim-gecko"],
  ],
  [
    "tracestate to which a hop of the original has appended",
    "http://a.net/",
    { tracestate: "linkup-session=old,linkup-session=between,a=1,linkup-session=new" },
    ["tracestate:old", "tracestate:new"],
  ],
  ["a member that only looks like ours", "http://a.net/", { tracestate: "xlinkup-session=slim-gecko" }, []],
  ["a name the grammar refuses", "http://a.net/", { tracestate: "linkup-session=Slim_Gecko" }, []],
  [
    "all, in the order of the contract, each once",
    "http://one.a.net/",
    {
      cookie: "linkup-session=seven",
      baggage: "linkup-session=six",
      tracestate: "linkup-session=five",
      origin: "https://four.a.net",
      referer: "https://one.a.net/",
      "x-forwarded-host": "two.a.net",
    },
    ["host:one", "x-forwarded-host:two", "origin:four", "tracestate:five", "baggage:six", "cookie:seven"],
  ],
])("%s", (_, url, headers, expected) => {
  expect(names(url, headers)).toEqual(expected);
});

test("tracestate without our member", () => {
  expect(tracestateSessions("a=b")).toEqual([]);
  expect(tracestateSessions("")).toEqual([]);
  expect(tracestateSessions(null)).toEqual([]);
});
