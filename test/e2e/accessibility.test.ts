// axe-core over every page that Linkup itself answers with, in Chromium, in both color schemes.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  failureContent,
  forbidden,
  loop,
  misdirected,
  noTarget,
  type ProxyFailure,
  pathTooLong,
} from "../../core/routing/proxy-failure.ts";
import { Internet } from "../integration/worker/internet.ts";
import { apiOf, oneService, type startWorker } from "../integration/worker/world.ts";
import { axeViolationsOfSchemes } from "./axe.ts";
import { newContext } from "./browser.ts";

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  internet = await new Internet().start();
  worker = await internet.startWorker();
  const api = apiOf(worker.url);
  const tunneled = {
    ...oneService("http://localhost:3000"),
    desired_name: "wild-otter",
    session_token: "a".repeat(32),
  };
  await api("POST", "/linkup/v2/sessions/tunneled", tunneled);
  const { port } = new URL(worker.url);
  const hosts = `--host-resolver-rules=MAP *.example.com:80 127.0.0.1:${port},MAP *.example.org:80 127.0.0.1:${port}`;
  context = await newContext("accessibility", { width: 700, height: 900 }, [hosts]);
  page = await context.newPage();
});
afterAll(async () => {
  await context?.browser()?.close();
  await worker?.stop();
  await internet?.stop();
});

test.each([
  ["no such session", 422, "http://nobody.example.com/", "belongs to no running session"],
  ["no service for the host", 404, "http://wild-otter.example.org/", "has no service for this address"],
  ["a tunnel that is down", 502, "http://wild-otter.example.com/", "Linkup"],
])("the Worker's page for %s", async (_, status, url, title) => {
  const response = await page.goto(url);
  expect(response!.status()).toBe(status);
  expect(await page.title()).toContain(title);
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
});

const decision = { outcome: "no-target" as const, hosts: [{ host: "a.example", source: "host" as const }] };

test.each<ProxyFailure>([
  noTarget("slim-gecko", { services: [], domains: [], cache_routes: [] }, decision),
  pathTooLong,
  loop(16, "slim-gecko.example.com"),
  forbidden,
  misdirected("evil.example"),
])("the page of $status $code", async (failure) => {
  await page.setContent(failureContent(failure, "text/html").body);
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
});
