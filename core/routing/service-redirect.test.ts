import { expect, test } from "vitest";
import { mapRefresh, pathOnDeployed, pathOnService, singleLocation } from "./service-redirect.ts";

test.each([
  ["http://127.0.0.1:4000/in", "/in"],
  ["http://[::1]:4000/in", "/in"],
  ["//localhost:4000/in", "/in"],
  ["http://localhost:4000/in", "/in"],
  ["HTTPS://LOCALHOST:4000/in?a#b", "/in?a#b"],
  ["http://localhost:4000", "/"],
  ["http://localhost:4000?a", "/?a"],
  ["http://localhost:4000//evil.example/", "/.//evil.example/"],
  ["http://localhost:4000/\\evil.example/", "/./\\evil.example/"],
  ["http://localhost:4001/in", undefined],
  ["http://localhost/in", undefined],
  ["http://example.com:4000/in", undefined],
  ["/in", undefined],
  ["in", undefined],
])("of a service on port 4000 %s becomes %j", (location, expected) => {
  expect(pathOnService(location, "http://localhost:4000")).toBe(expected);
});

test.each([
  ["http://localhost/in", "http://localhost", "/in"],
  ["http://localhost:80/in", "http://127.0.0.1", "/in"],
  ["//10.1.2.3:3000/in", "http://10.1.2.3:3000", "/in"],
  ["http://10.1.2.4:3000/in", "http://10.1.2.3:3000", undefined],
])("%s of %s becomes %j", (location, origin, expected) => {
  expect(pathOnService(location, origin)).toBe(expected);
});

test.each([
  ["https://web.example.com/docs/", "/docs/"],
  ["https://WEB.example.com:443/docs/?a#b", "/docs/?a#b"],
  ["https://web.example.com/docs", undefined],
  ["https://web.example.com/docs#top", undefined],
  ["http://web.example.com/docs/", undefined],
  ["https://www.example.com/docs/", undefined],
  ["/docs/", undefined],
])("of a deployed service that is asked for /docs %s becomes %j", (location, expected) => {
  expect(pathOnDeployed(location, "https://web.example.com", "/docs")).toBe(expected);
});

test.each([
  ["/in, /in", "/in"],
  ["https://a.example/?x=1,2, https://a.example/?x=1,2", "https://a.example/?x=1,2"],
  ["/in, /out", "/in, /out"],
  ["/in", "/in"],
  [", ", ", "],
  ["", ""],
])("the lines %j are one redirect to %j", (location, expected) => {
  expect(singleLocation(location)).toBe(expected);
});

test.each([
  ["0; url=http://localhost:4000/in", "0; url=/in"],
  ["5;URL='http://localhost:4000/in'", "5;URL='/in'"],
  ["0, url = /out", "0, url = /in"],
  ["5", "5"],
  ["0; url=", "0; url="],
  ["0; url='http://localhost:4000/in", "0; url='http://localhost:4000/in"],
  ["soon", "soon"],
])("the refresh %j becomes %j", (refresh, expected) => {
  expect(mapRefresh(refresh, () => "/in")).toBe(expected);
});
