/** Real browsers of the user whose home the test has set, which trust what this user's own stores trust. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { CHROMIUM, CHROMIUM_FLAGS } from "../../support/chromium.ts";
import { FIREFOX, startFirefox } from "../../support/firefox.ts";

/** Led to this machine by the browsers themselves: a name that the authority must not vouch for. */
export const IMPOSTOR = "bank.test";

export interface InstalledBrowser {
  name: string;
  /** The text of these elements, by their ids; rejects with the browser's reason when the page is not accepted. */
  open(url: string, ids: readonly string[]): Promise<Record<string, string>>;
  screenshot(file: string): Promise<void>;
  close(): Promise<void>;
}

const VIEWPORT = { width: 900, height: 420 };

/**
 * Where these browsers keep their authorities, in the home that is this user's. Firefox's is made, as its profile is;
 * Chromium, which has never run there, finds what the installation has made.
 */
export function browserStores(home: string): { chromium: string; firefox: string } {
  const stores = {
    chromium: join(home, ".local/share/pki/nssdb"),
    firefox: join(home, ".mozilla/firefox/test.default-esr"),
  };
  mkdirSync(stores.firefox, { recursive: true });
  execFileSync("certutil", ["-N", "-d", `sql:${stores.firefox}`, "--empty-password"]);
  return stores;
}

export async function openChromium(): Promise<InstalledBrowser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...CHROMIUM_FLAGS,
      "--disable-features=LocalNetworkAccessChecks",
      `--host-resolver-rules=MAP ${IMPOSTOR} 127.0.0.1`,
    ],
  });
  const tab = await browser.newPage({ viewport: VIEWPORT });
  return {
    name: "Chromium",
    async open(url, ids) {
      await tab.goto(url);
      const texts = ids.map(async (id) => [id, (await tab.textContent(`#${id}`)) ?? ""]);
      return Object.fromEntries(await Promise.all(texts));
    },
    screenshot: async (path) => void (await tab.screenshot({ path })),
    close: () => browser.close(),
  };
}

/** Undefined when this machine has none. */
export async function openFirefox(profile: string): Promise<InstalledBrowser | undefined> {
  if (!FIREFOX) return undefined;
  const firefox = await startFirefox(profile, { "network.dns.localDomains": IMPOSTOR });
  const { bidi, context } = firefox;
  await bidi("browsingContext.setViewport", { context, viewport: VIEWPORT });
  return {
    name: "Firefox",
    async open(url, ids) {
      await bidi("browsingContext.navigate", { context, url, wait: "complete" });
      const texts = ids.map(async (id) => {
        const expression = `document.getElementById(${JSON.stringify(id)})?.textContent ?? ""`;
        const { result } = (await bidi("script.evaluate", {
          expression,
          target: { context },
          awaitPromise: false,
        })) as { result: { value: string } };
        return [id, result.value];
      });
      return Object.fromEntries(await Promise.all(texts));
    },
    async screenshot(file) {
      const { data } = (await bidi("browsingContext.captureScreenshot", { context })) as { data: string };
      writeFileSync(file, Buffer.from(data, "base64"));
    },
    close: () => firefox.close(),
  };
}
