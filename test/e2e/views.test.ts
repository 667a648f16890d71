// Every command, menu and view that is not in the other files, as a user reaches it.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axeViolationsOfDocument } from "./axe.ts";
import { Shop, TOKEN } from "./shop.ts";
import type { Workbench } from "./workbench.ts";

let shop: Shop;
let window: Workbench;
beforeAll(async () => {
  shop = await Shop.start();
  await mkdir(join(shop.folder, ".vscode"));
  const tasks = [{ type: "linkup", label: "session", problemMatcher: "$linkup", isBackground: true }];
  await writeFile(join(shop.folder, ".vscode", "tasks.json"), JSON.stringify({ version: "2.0.0", tasks }));
  window = await shop.open();
  await window.stopped();
});
afterAll(async () => {
  await window?.stop();
  await shop?.stop();
});

const inTree = (text: string | RegExp) => window.inTree(text);
const status = async () => (await window.statusBar("session"))?.text;
/** The text of the Markdown page that is open. */
const page = () =>
  window.page
    .frameLocator("iframe.webview.ready")
    .frameLocator("iframe#active-frame")
    .locator("body")
    .textContent();
const pageWith = (pattern: RegExp) =>
  window.until(`a page with ${pattern}`, async () => {
    const text = await page();
    return text && pattern.test(text) && text;
  });
const closeEditors = () => window.command("View: Close All Editors");

const STOPPED = "$(link) Linkup";
const nameNow = async () => /^\$\(link\) ([a-z]+-[a-z]+)(?: · \d local)?$/.exec((await status()) ?? "")?.[1];

/** The name of the workspace's session, which is started unless a test before has: no test depends on another. */
async function running(): Promise<string> {
  const name = await nameNow();
  if (name) return name;
  if (startFailed) throw new Error("The session did not start in a test before.", { cause: startFailed });
  try {
    await window.command("Linkup: Start");
    return await window.until("the session", nameNow, 60_000);
  } catch (error) {
    startFailed = error;
    throw error;
  }
}
let startFailed: unknown;

/** Every service of the running session is remote. */
async function allRemote(): Promise<string> {
  const name = await running();
  if ((await window.tree()).includes(`▾ ${name}  0 of 3 local`)) return name;
  await window.command("Linkup: Route All to Remote");
  await inTree(`▾ ${name}  0 of 3 local`);
  return name;
}

async function stopped(): Promise<void> {
  if ((await status()) === STOPPED) return;
  await window.command("Linkup: Stop");
  await window.stopped();
}

test("the status bar's menu offers to start", async () => {
  await stopped();
  await window.clickStatusBar("session");
  await window.until("the menu", async () =>
    (await window.quickPickItems()).some((item) => item.includes("Start")),
  );
  await window.screenshot("menu-stopped");
  await window.press("Escape");
});

test("the task starts the session and is ready when it is; it ends with the session", async () => {
  await stopped();
  // VS Code closes the list when something else takes the focus, and fills it while it is open.
  await window.until(
    "the task to start",
    async () => {
      if ((await status()) !== STOPPED) return true;
      await window.command("Tasks: Run Task");
      await window.quickPick("session");
      await expect.poll(status, { timeout: 5_000 }).not.toBe(STOPPED);
      return true;
    },
    60_000,
  );
  const terminal = window.page.locator(
    ".terminal-wrapper.active .xterm-accessibility, .terminal-wrapper.active",
  );
  const name = await window.until("the session", nameNow);
  await terminal.first().waitFor();
  await window.screenshot("task");
  expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
});

test("Space on a service's row toggles it, and Enter on nothing else does", async () => {
  await allRemote();
  await window.row("api").click();
  await window.press("Space");
  await inTree(`api  local · localhost:${shop.local.api}`);
  await window.press("Space");
  await inTree(`api  remote · 127.0.0.1:${shop.remote.api}`);
});

test("Route Service: health and target of each, picking one toggles it", async () => {
  await allRemote();
  await window.command("Linkup: Route Service…");
  const items = await window.until("the services", async () => {
    const shown = await window.quickPickItems();
    return shown.length === 3 && shown;
  });
  expect(items[0]).toMatch(
    /web.*remote · 127\.0\.0\.1:\d+ · healthy.*Route to local, http:\/\/localhost:\d+/,
  );
  await window.screenshot("route-service");
  await window.quickPick("web");
  await inTree("web  local");
});

test("Route All to Local, Route All to Remote", async () => {
  const name = await allRemote();
  await window.command("Linkup: Route All to Local");
  await inTree(`▾ ${name}  3 of 3 local`);
  await window.command("Linkup: Route All to Remote");
  await inTree(`▾ ${name}  0 of 3 local`);
});

test("a service's context menu toggles it and opens it", async () => {
  await allRemote();
  await window.contextMenu("auth", "Route to Local");
  await inTree("auth  local");
  await window.contextMenu("auth", "Route to Remote");
  await inTree("auth  remote");
});

test("Open Session in Browser opens the URL of the chosen domain", async () => {
  const name = await running();
  const opened = window.context.waitForEvent("page");
  await window.command("Linkup: Open Session in Browser");
  await window.quickPick(`${name}.shop.localhost:${shop.workerPort}`);
  const tab = await opened;
  await tab.waitForLoadState();
  expect(tab.url()).toBe(`http://${name}.shop.localhost:${shop.workerPort}/`);
  await tab.close();
});

test("a URL's row copies it", async () => {
  const name = await running();
  const url = `http://${name}.api.shop.localhost:${shop.workerPort}`;
  await window.inlineAction("api.shop.localhost", "Copy Session URL");
  await window.until("the clipboard", async () => (await window.clipboard()) === `${url}/`);
});

test("Show Status is a readable page with every session and JSON for an issue", async () => {
  const name = await running();
  await window.command("Linkup: Show Status");
  const text = await pageWith(/Linkup Status/);
  for (const part of [
    name,
    shop.configPath,
    `http://127.0.0.1:${shop.remote.web}`,
    "Local server",
    '"sessions"',
  ])
    expect(text).toContain(part);
  expect(text).not.toContain(TOKEN);
  await window.screenshot("status");
  const frame = await window.documentWith("Linkup Status");
  expect(await window.inEveryTheme(frame, axeViolationsOfDocument)).toEqual([]);
  await closeEditors();
});

test("Explain Request says which session, service and target, and what would help", async () => {
  const name = await running();
  await window.command("Linkup: Explain Request…");
  await window.quickInput(`http://${name}.shop.localhost/auth/login`);
  await window.quickInput("", "Headers");
  const text = await pageWith(/Linkup Explanation/);
  expect(text).toMatch(/Service auth/);
  expect(text).toContain("^/auth/.*");
  expect(text).toContain(`http://127.0.0.1:${shop.remote.auth}/auth/login`);
  await window.screenshot("explanation");
  expect(await axeViolationsOfDocument(await window.documentWith("Linkup Explanation"))).toEqual([]);
  await closeEditors();
  await window.command("Linkup: Explain Request…");
  await window.quickInput("http://api.shop.localhost/");
  await window.quickInput(`Referer: http://${name}.shop.localhost/`, "Headers");
  expect(await pageWith(/Service api/)).toContain("Referer");
  await closeEditors();
});

test("a link is followed only when the user agrees", async () => {
  await allRemote();
  const follow = async (link: string) => {
    await window.command("Developer: Open URL");
    await window.quickInput(`code-oss://linkup-dev.linkup${link}`);
    // First VS Code itself asks whether the extension may open it.
    await window.until("VS Code's question", async () => /open this URI/.test((await window.dialog()) ?? ""));
    await window.button("Open");
    return await window.until("Linkup's question", async () => {
      const text = await window.dialog();
      return text?.includes("A link asks Linkup") && text;
    });
  };
  expect(await follow("/route?service=api&target=local")).toContain("route the service api to this machine");
  await window.screenshot("link");
  await window.button("Cancel");
  await follow("/route?service=auth&target=local");
  await window.button("Yes");
  await inTree("auth  local");
  expect(await window.tree()).toContain("api  remote");
  await window.inlineAction("auth", "Route to Remote");
  await inTree("auth  remote");
});

/** The lines that a new terminal says to this script. */
async function saidInTerminal(script: string): Promise<string[]> {
  const file = join(shop.folder, "said.txt");
  await writeFile(file, "");
  await window.command("Terminal: Create New Terminal");
  await window.page.locator(".terminal-wrapper.active .xterm-screen").waitFor();
  const said = await window.until(
    "the terminal's answer",
    async () => {
      const text = await readFile(file, "utf8");
      if (text.includes("end")) return text;
      // A shell that is still starting takes no input.
      await window.page.keyboard.type(`(${script}; echo end) > ${file}`);
      await window.press("Enter");
      await window.page.waitForTimeout(3000);
      return undefined;
    },
    60_000,
  );
  return said.split("\n");
}

test("terminals know the session, and have the linkup command", async () => {
  const name = await running();
  const [session, url, hosts, ...json] = await saidInTerminal(
    "echo $LINKUP_SESSION; echo $LINKUP_URL; echo $__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS; linkup status --json",
  );
  expect([session, url, hosts]).toEqual([
    name,
    `http://${name}.shop.localhost:${shop.workerPort}/`,
    ".shop.localhost",
  ]);
  expect(json.join("\n")).toContain(name);
});

test("with both settings off, terminals are as without Linkup", async () => {
  await running();
  const file = join(shop.folder, ".vscode", "settings.json");
  const off = { "linkup.terminal.environment": false, "linkup.terminal.command": false };
  await writeFile(file, JSON.stringify(off));
  try {
    await window.until(
      "a terminal without Linkup",
      async () => {
        const said = await saidInTerminal("echo [$LINKUP_SESSION]; command -v linkup || echo none");
        return said.join(" ") === "[] none end ";
      },
      60_000,
    );
  } finally {
    await rm(file);
  }
});

test("Show Logs: of the sessions and of each component, in channels that follow, without the token", async () => {
  // What happened before may have scrolled out of sight.
  await stopped();
  const name = await running();
  await window.command("Linkup: Show Logs");
  const items = await window.until("the logs", async () => {
    const shown = await window.quickPickItems();
    return shown.length > 1 && shown;
  });
  expect(items[0]).toContain("Sessions");
  expect(items.join("\n")).toContain("Local server");
  await window.quickPick("Sessions");
  const output = window.page.locator(".output-view .view-lines");
  const logged = (pattern: RegExp) =>
    window.until(`${pattern} in the log`, async () =>
      // The editor writes spaces that do not break.
      pattern.test(((await output.textContent()) ?? "").replace(/\s/g, " ")),
    );
  await logged(new RegExp(`session ${name} \\(tunneled\\)`, "i"));
  await window.inlineAction("auth", "Route to Local");
  await logged(/Routed auth of \S+ \(tunneled\) to local/);
  await window.inlineAction("auth", "Route to Remote");
  expect(await output.textContent()).not.toContain(TOKEN);
  await window.screenshot("logs");
  await window.expand("Components", "Local server");
  await window.inlineAction("Local server", "Show Logs");
  await logged(/Local server ready/);
  await window.screenshot("logs-component");
  await window.command("View: Hide Panel");
});

test("Restart keeps the name; the menu stops the session", async () => {
  const name = await running();
  const servers = () => window.processes().filter(({ command }) => command.includes("local-server.js"));
  const [before] = servers();
  await window.command("Linkup: Restart");
  await window.until("a new local server", () => servers().some(({ pid }) => pid !== before!.pid));
  await window.until("the same name", async () => (await nameNow()) === name);
  await window.clickStatusBar("session");
  await window.screenshot("menu-running");
  await window.quickPick("Stop");
  await window.stopped();
});

test("Start Isolated serves the session on this machine, without the Worker", async () => {
  await stopped();
  await window.command("Linkup: Start Isolated");
  await inTree(/▾ [a-z0-9-]+ {2}0 of 3 local · isolated/);
  await window.screenshot("isolated");
  await window.command("Linkup: Stop");
  await window.stopped();
});

test("the walkthrough", async () => {
  await window.command("Welcome: Open Walkthrough...");
  await window.quickPick("Get Started with Linkup");
  await window.until(
    "the walkthrough",
    async () => (await window.page.locator(".getting-started-step").count()) === 5,
  );
  await window.screenshot("walkthrough");
});
