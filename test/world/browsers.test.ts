/** Pages that hide their referrer, and hosts that name no session, in real browsers: each request finds the session. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StartedService, startService } from "../integration/worker/world.ts";
import { BROWSERS, type Browser } from "./browsers.ts";
import { Chain, WAYS, type Way } from "./chain.ts";

/** Kinds of requests that a page makes to another domain. */
const KINDS = ["image", "script", "style", "frame", "cors-fetch", "no-cors-fetch", "form"];

let chain: Chain;
let cookieless: Chain;
let web: StartedService;
let api: StartedService;
/** Kinds of requests that reached the other domain's service, and the cookies that services saw. */
let reached = new Set<string>();
let cookies: (string | undefined)[] = [];
/** How the page hides its referrer, and where its other domain is. */
let policy = "";
let other = "";

beforeAll(async () => {
  web = await startService("web", (request, response) => {
    cookies.push(request.headers.cookie);
    response.writeHead(200, {
      "content-type": "text/html",
      ...(policy ? { "referrer-policy": policy } : {}),
    });
    response.end(request.url === "/page" ? page() : "<p>web</p>");
  });
  api = await startService("api", (request, response) => {
    reached.add(request.url!.slice(1).split("?")[0]!);
    cookies.push(request.headers.cookie);
    const types: Record<string, string> = { "/script": "text/javascript", "/style": "text/css" };
    response.writeHead(200, { "content-type": types[request.url!] ?? "text/html" }).end("");
  });
  const services = { web: web.url, api: api.url };
  // Two sites: no cookie of the one is sent to the other.
  const domainOf = (name: string) => (name === "web" ? "a.test" : "b.test");
  [chain, cookieless] = await Promise.all([
    Chain.start(services, { domainOf }),
    Chain.start(services, { domainOf, linkup: "  session_cookie: false\n" }),
  ]);
});
afterAll(async () => {
  await Promise.all([chain?.stop(), cookieless?.stop()]);
  await Promise.all([web?.stop(), api?.stop()]);
});

function page(): string {
  return `<!doctype html>
<img src="${other}/image"><script src="${other}/script"></script><link rel="stylesheet" href="${other}/style">
<iframe src="${other}/frame"></iframe><iframe name="target"></iframe>
<form method="post" action="${other}/form" target="target"></form>
<script>
  fetch("${other}/cors-fetch").catch(() => {});
  fetch("${other}/no-cors-fetch", { mode: "no-cors" }).catch(() => {});
  document.forms[0].submit();
</script>`;
}

/** The URL of a host that names no session, as that of an OAuth callback does. */
const fixed = (of: Chain, way: Way, host = "a.test") => `http://${host}:${of.port(way)}`;

for (const [name, { absent, open }] of Object.entries(BROWSERS)) {
  if (absent) console.error(`SKIPPED: ${name}, because ${absent}`);
  describe.skipIf(absent)(name, () => {
    let browser: Browser;
    beforeAll(async () => {
      const hosts = [chain, cookieless].flatMap((of) =>
        WAYS.flatMap((way) =>
          ["web", "api"].flatMap((service) => [of.host(way, service), of.hostBeside(way, service)]),
        ),
      );
      browser = await open(["a.test", "b.test", ...new Set(hosts.map((host) => host.split(":")[0]!))]);
    });
    afterAll(() => browser?.close());

    describe.each(WAYS)("%s", (way) => {
      test.each(["no-referrer", "same-origin", "strict-origin-when-cross-origin", ""])(
        "Referrer-Policy: %s",
        async (value) => {
          await browser.clearCookies();
          [policy, other, reached] = [value, fixed(chain, way, "b.test"), new Set()];
          const visited = browser.visit(`${chain.origin(way, "web")}/page`);
          await expect.poll(() => [...reached].sort(), { timeout: 20_000 }).toEqual([...KINDS].sort());
          await visited;
        },
      );

      test("a fixed host, as of an OAuth callback, finds the session of the page visited last", async () => {
        policy = "";
        await browser.clearCookies();
        expect(await browser.visit(`${fixed(chain, way)}/callback`)).not.toMatch(/^web$/);
        await browser.visit(`${chain.origin(way, "web")}/`);
        cookies = [];
        expect(await browser.visit(`${fixed(chain, way)}/callback`)).toBe("web");
        expect(new Set(cookies)).toEqual(new Set([undefined]));
        await browser.visit(`http://${chain.hostBeside(way, "web")}/`);
        const cookie = await browser.sessionCookie();
        expect(cookie).toMatchObject({ value: chain.sessionBeside(way), httpOnly: true, sameSite: "lax" });
        expect(cookie!.domain.replace(/^\./, "")).toBe("a.test");
      });

      test("a session that wants no cookie sets none", async () => {
        await browser.clearCookies();
        await browser.visit(`${cookieless.origin(way, "web")}/`);
        expect(await browser.sessionCookie()).toBeUndefined();
        expect(await browser.visit(`${fixed(cookieless, way)}/callback`)).not.toMatch(/^web$/);
      });
    });
  });
}
