/** Real browsers that find hosts below `.test` on this machine. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CHROMIUM, CHROMIUM_FLAGS } from "../support/chromium.ts";
import { FIREFOX, startFirefox } from "../support/firefox.ts";

export interface SessionCookie {
  value: string;
  domain: string;
  httpOnly: boolean;
  /** In lower case. */
  sameSite: string;
}

export interface Browser {
  /** Opens a page, and returns its text once it has loaded, failures included. */
  visit(url: string): Promise<string>;
  /** Linkup's own cookie, which is there once at most. */
  sessionCookie(): Promise<SessionCookie | undefined>;
  clearCookies(): Promise<void>;
  close(): Promise<void>;
}

/** By name: how to start it, and what is missing here. */
export const BROWSERS: Record<
  string,
  { absent: string | undefined; open(hosts: string[]): Promise<Browser> }
> = {
  Chromium: {
    absent: existsSync(CHROMIUM) ? undefined : `there is no ${CHROMIUM} (apt-get install chromium)`,
    open: openChromium,
  },
  Firefox: {
    absent: FIREFOX ? undefined : "there is no /usr/bin/firefox-esr (apt-get install firefox-esr)",
    open: openFirefox,
  },
};

async function openChromium(): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), "linkup-chromium-"));
  const browser = await chromium.launchPersistentContext(home, {
    executablePath: CHROMIUM,
    args: [
      ...CHROMIUM_FLAGS,
      "--disable-features=LocalNetworkAccessChecks,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
      "--host-resolver-rules=MAP *.test 127.0.0.1",
    ],
  });
  return {
    async visit(url) {
      const tab = await browser.newPage();
      try {
        await tab.goto(url, { waitUntil: "load" });
        return (await tab.textContent("body"))?.trim() ?? "";
      } finally {
        await tab.close();
      }
    },
    async sessionCookie() {
      const cookie = (await browser.cookies()).find(({ name }) => name === "linkup-session");
      return cookie && { ...cookie, sameSite: cookie.sameSite.toLowerCase() };
    },
    clearCookies: () => browser.clearCookies(),
    async close() {
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Knows no patterns of hosts: they are named. */
async function openFirefox(hosts: string[]): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "linkup-firefox-"));
  const firefox = await startFirefox(profile, {
    "network.dns.localDomains": hosts.join(","),
    "dom.security.https_first": false,
  });
  const { bidi, context } = firefox;
  return {
    async visit(url) {
      await bidi("browsingContext.navigate", { context, url, wait: "complete" });
      const { result } = (await bidi("script.evaluate", {
        expression: "document.body.textContent.trim()",
        target: { context },
        awaitPromise: false,
      })) as { result: { value: string } };
      return result.value;
    },
    async sessionCookie() {
      type Stored = Omit<SessionCookie, "value"> & { value: { value: string } };
      const filter = { name: "linkup-session" };
      const { cookies } = (await bidi("storage.getCookies", { filter })) as { cookies: Stored[] };
      return cookies[0] && { ...cookies[0], value: cookies[0].value.value };
    },
    clearCookies: async () => void (await bidi("storage.deleteCookies", {})),
    async close() {
      await firefox.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
