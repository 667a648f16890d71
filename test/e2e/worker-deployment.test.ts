// Deploy, update and destroy the Worker from the palette, against a stand-in of Cloudflare's API.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedWorker, startWorker } from "../../scripts/embedded-worker.mjs";
import { CloudflareAccount, type Script } from "../integration/infra/cloudflare-account.ts";
import { type StartedService, startService } from "../integration/worker/world.ts";
import { axeViolationsOfDocument } from "./axe.ts";
import { root } from "./install.ts";
import { Workbench } from "./workbench.ts";

const LINKUP_YAML = `linkup:
  worker_url: https://linkup.old.example # the team's
services:
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
domains:
  - domain: example.com
    default_service: web
`;

const account = new CloudflareAccount();
let folder: string;
let window: Workbench;
let uploaded: Script;
let worker: EmbeddedWorker | undefined;
let service: StartedService | undefined;

beforeAll(async () => {
  await account.start();
  account.addZone("example.com");
  account.addZone("other.dev");
  account.grant("deploy-token");
  folder = await mkdtemp(join(tmpdir(), "linkup-deploy-"));
  await writeFile(join(folder, "linkup.yaml"), LINKUP_YAML);
  window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [folder],
    env: { CLOUDFLARE_API_TOKEN: "", CLOUDFLARE_API_BASE_URL: account.baseUrl },
  });
  await window.showView();
});
afterAll(async () => {
  await window?.stop();
  await Promise.all([worker?.stop(), service?.stop()]);
  await account.stop();
  await rm(folder, { recursive: true });
});

/** The input that asks this, with the number of its step. */
const step = (text: string) => {
  const question = window.page.getByPlaceholder(text).or(window.page.getByText(text));
  return window.until(`the question ${text}`, () =>
    window.page.locator(".quick-input-widget:visible", { has: question }).isVisible(),
  );
};
const back = () => window.page.locator(".quick-input-widget:visible").getByLabel("Back").click();
function page(text: string): Promise<void> {
  return window.page
    .frameLocator("iframe.webview.ready")
    .frameLocator("iframe#active-frame")
    .getByText(text)
    .first()
    .waitFor();
}

/** Picks the zone example.com, of two. */
async function pickZone(): Promise<void> {
  await window.quickPick("example.com");
  await window.press("Enter");
}

test("from no Worker to one, in steps with a way back, with the plan beside the question", async () => {
  await window.command("Linkup: Deploy Worker…");
  await step("Deploy Worker (1/3)");
  await window.screenshot("deploy-token");
  await window.quickInput("deploy-token", "The Cloudflare API token");
  await step("Deploy Worker (2/3)");
  await window.quickPick("other.dev");
  await window.press("Enter");
  await step("Deploy the Worker to other.dev?");
  await back();
  await step("Deploy Worker (2/3)");
  await window.quickPick("other.dev");
  await pickZone();
  await step("Deploy the Worker to example.com?");
  await page("Linkup Worker: Deployment Plan");
  await window.screenshot("deploy-plan");
  expect(account.scripts.size).toBe(0);
  await window.quickPick("Deploy");
  await window.until("the offer to write worker_url", async () =>
    (await window.toasts()).some((text) => text.includes("https://linkup.example.com")),
  );
  expect(account.scripts.get("linkup")!.bindings.find(({ name }) => name === "WORKER_TOKEN")!.text).toMatch(
    /^[\w-]{43}$/,
  );
  expect(account.zones[0]!.routes.map(({ pattern }) => pattern)).toEqual([
    "*.example.com/*",
    "example.com/*",
  ]);
  expect(account.zones[1]!.routes).toEqual([]);
  await window.until("what is waited for", async () =>
    /Waiting for the Worker: DNS linkup\.example\.com/.test(
      (await window.page.locator(".statusbar").textContent()) ?? "",
    ),
  );
  await window.screenshot("deployed");
  uploaded = account.scripts.get("linkup")!;
  await window.button("Update linkup.yaml");
  await window.press("ControlOrMeta+S");
  await window.until("worker_url in the file", async () =>
    (await readFile(join(folder, "linkup.yaml"), "utf8")).includes(
      "worker_url: https://linkup.example.com # the team's\n",
    ),
  );
});

test("Deploy Worker does nothing when nothing is to be done", async () => {
  account.calls.length = 0;
  await window.command("Linkup: Deploy Worker…");
  await pickZone();
  await window.until("up to date", async () =>
    (await window.toasts()).some((text) => text.includes("The Worker is up to date.")),
  );
  expect(account.calls.filter((call) => !call.startsWith("GET "))).toEqual([]);
});

test("Destroy Worker shows what goes, and removes it after a question", async () => {
  await window.command("Linkup: Destroy Worker…");
  await pickZone();
  await step("Remove the Worker from example.com?");
  await page("Linkup Worker: Removal Plan");
  await window.screenshot("destroy-plan");
  await window.quickPick("Remove");
  await window.until("nothing left", async () => account.scripts.size === 0 && account.tokens.length === 0);
  const plan = await window.documentWith("Linkup Worker: Removal Plan");
  expect(await window.inEveryTheme(plan, axeViolationsOfDocument)).toEqual([]);
  expect(account.zones[0]!.records).toEqual([]);
});

// Its host has no address here, so the script that was uploaded is served on this machine, with the secret that it was given.
test("the uploaded Worker serves a session: its token is asked for, and the session opens", async () => {
  const token = uploaded.bindings.find(({ name }) => name === "WORKER_TOKEN")!.text!;
  const bundle = join(folder, "uploaded.js");
  await writeFile(bundle, uploaded.modules[0]!.code);
  worker = await startWorker({ bundle, token });
  service = await startService("the deployed web");
  const file = join(folder, "linkup.yaml");
  const text = await readFile(file, "utf8");
  await writeFile(
    file,
    text
      .replace("https://linkup.example.com", worker.url)
      .replace("https://web.example.com", service.url)
      .replace("domain: example.com", "domain: shop.localhost"),
  );
  await window.command("View: Close All Editors");
  await window.command("Linkup: Start");
  await window.until("the question for the token", async () =>
    (await window.toasts()).some((toast) => /needs a token/.test(toast)),
  );
  await window.button("Set Worker Token…");
  await window.quickInput(token);
  await window.until("the token to be stored", async () =>
    (await window.toasts()).some((toast) => /is stored/.test(toast)),
  );
  await window.button("Start");
  const [, name] = await window.until(
    "the session in the tree",
    async () => /▾ ([a-z]+-[a-z]+) {2}0 of 1 local/.exec(await window.tree()) ?? undefined,
  );
  await window.screenshot("deploy-session");
  const answer = await fetch(worker.url, {
    headers: { tracestate: `linkup-session=${name}`, "x-forwarded-host": `${name}.shop.localhost` },
  });
  expect(((await answer.json()) as { service: string }).service).toBe("the deployed web");
  await window.command("Linkup: Stop");
  await window.until("the session to be gone", async () => !(await window.tree()).includes(name!));
});
