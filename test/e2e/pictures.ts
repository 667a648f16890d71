// Makes the pictures of the README: every view in light, dark and high contrast, from the packaged extension in a
// real VS Code, with the example system behind it. Needs the example's ports.
// Run: node test/e2e/pictures.ts [light] [dark] [hc] [german]
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

const images = join(root, "docs", "images");
const all = ["light", "dark", "hc"] as const;
const themes = all.filter((theme) => process.argv.length === 2 || process.argv.includes(theme));
const size = { width: 1400, height: 800 };
/** Half a screen, as beside a browser: `-narrow` in the names. */
const narrow = { width: 700, height: 800 };

/** For the picture of them: the example has none. */
const OVERRIDES = `
# Requests that go elsewhere while an override is on.
overrides:
  - name: payments-down
    service: api
    when: { path: ^/pay, method: POST }
    respond: { status: 503, body: '{"error": "down"}' }
  - name: slow-login
    service: auth
    fault: { delay_ms: 2000 }
  - name: new-search
    service: api
    when: { path: ^/search }
    target: local
    fallthrough: true
`;

await mkdir(images, { recursive: true });
const shop = await Shop.start("example");
try {
  for (const theme of themes) await takePictures(theme);
  if (process.argv.length === 2 || process.argv.includes("german")) await takeGermanPicture();
} finally {
  await shop.stop();
}

async function takePictures(theme: (typeof all)[number]): Promise<void> {
  const window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    colorTheme: theme,
    size,
    settings: { "workbench.layoutControl.enabled": false, "breadcrumbs.enabled": false },
  });
  const inTree = (text: string) =>
    window.until(`"${text}" in the tree`, async () => (await window.tree()).includes(text));
  const save = async (name: string) => {
    // Out of the way, so that no tooltip and no hover is in the picture.
    const { width, height } = window.page.viewportSize()!;
    await window.page.mouse.move(width - 2, height / 2);
    await window.page.screenshot({ path: join(images, `${name}-${theme}.png`), animations: "disabled" });
    console.log(`${name}-${theme}.png`);
  };
  const picture = async (view: string, alsoNarrow?: "with-side-bar" | "alone") => {
    await save(view);
    if (!alsoNarrow) return;
    if (alsoNarrow === "alone") await window.command("View: Close Primary Side Bar");
    await window.page.setViewportSize(narrow);
    await window.page.evaluate(
      // The workbench follows the window's size in the next frames.
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
    );
    await save(`${view}-narrow`);
    await window.page.setViewportSize(size);
    await window.showView();
  };
  const closeEditors = () => window.command("View: Close All Editors");
  try {
    // VS Code ticks the steps of a walkthrough from when it was first opened.
    await window.command("Welcome: Open Walkthrough...");
    await window.quickPick("Get Started with Linkup");
    await window.until(
      "the walkthrough",
      async () => (await window.page.locator(".getting-started-step").count()) === 5,
    );
    await closeEditors();
    await window.showView();
    await widenSideBar(window);
    // The view is there, and empty, before it is known which welcome it shows.
    const start = window.page.locator(".welcome-view-content").getByText("Start", { exact: true });
    await start.waitFor();
    await window.until(
      "the extensions to be active",
      async () => !(await window.page.getByText("Activating Extensions").count()),
    );
    await picture("welcome");

    await window.command("Linkup: Start");
    await inTree("3 local");
    await window.openFile("linkup.yaml");
    await window.inlineAction("api", "Route to Local");
    await inTree(`api  local`);
    await window.expand("Components", "Local server");
    await window.until(
      "health",
      async () => (await window.page.locator(".monaco-list-row .codicon-cloud").count()) > 0,
    );
    await window.until(
      "the code lens",
      async () => (await window.page.getByText(/local · healthy/).count()) > 0,
    );
    await picture("sessions", "with-side-bar");

    await window.command("Linkup: Route Service…");
    await window.until("the services", async () => (await window.quickPickItems()).length === 3);
    await picture("route-service");
    await window.press("Escape");

    await window.clickStatusBar("session");
    await window.until("the menu", async () => (await window.quickPickItems()).length > 5);
    await picture("menu");
    await window.press("Escape");
    await closeEditors();

    await window.command("Linkup: Show Logs");
    await window.quickPick("Sessions");
    await window.until("the log", async () =>
      (await window.page.locator(".output-view .view-lines").textContent())?.includes("api"),
    );
    await picture("logs", "with-side-bar");
    await window.command("View: Hide Panel");

    await window.command("Linkup: Doctor");
    await window.documentWith("Fine");
    await picture("doctor", "alone");
    await closeEditors();

    await window.command("Linkup: Explain Request…");
    const [url] = (await window.tree()).match(/http:\S+/) ?? [];
    await window.quickInput(`${url}/auth/whoami?x=1`);
    await window.quickInput("", "Headers");
    await window.documentWith("Service auth");
    await picture("explanation", "alone");
    await closeEditors();

    await window.command("Linkup: Show Status");
    await window.documentWith("Local server");
    await picture("status", "alone");
    await closeEditors();

    await window.command("Linkup: Share Session…");
    await window.quickPick("Invite somebody");
    await window.quickPick("2 d");
    await window.quickInput("Ana", "Name of the recipient");
    await window.quickPick("Once");
    await window.documentWith("Ana");
    await inTree("private");
    await picture("share", "alone");
    await window.command("Linkup: Make Session Public");
    await window.button("Make Public");
    await window.until("the session to be public", async () => !(await window.tree()).includes("private"));
    await closeEditors();

    const text = await readFile(shop.configPath, "utf8");
    await writeFile(shop.configPath, text + OVERRIDES);
    await window.expand("Overrides", "payments-down");
    await window.setCheckbox("payments-down", true);
    await inTree("payments-down on");
    await window.openFile("linkup.yaml");
    await window.press("ControlOrMeta+End");
    await picture("overrides", "with-side-bar");
    await window.setCheckbox("payments-down", false);
    await closeEditors();

    await writeFile(shop.configPath, text);
    await window.until("no override", async () => !(await window.tree()).includes("Overrides"));
    await writeFile(shop.configPath, text.replace("default_service: api", "default_service: apl"));
    await window.until("the notification", async () => (await window.toasts()).length > 0);
    await window.command("Linkup: Open linkup.yaml");
    await window.until("the problem", async () => (await window.page.locator(".squiggly-error").count()) > 0);
    await picture("problem");
    await writeFile(shop.configPath, text);
    await window.command("Notifications: Clear All Notifications");
    await closeEditors();

    // Where there is little room a walkthrough leaves its pictures out.
    await window.command("View: Close Primary Side Bar");
    await window.command("Welcome: Open Walkthrough...");
    await window.quickPick("Get Started with Linkup");
    await window.page.getByText("Route one service to your machine").first().click();
    await window.page
      .frameLocator(".getting-started-media iframe")
      .frameLocator("iframe#active-frame")
      // Not that of the step that was open before.
      .locator("svg", { hasText: "The switch of the service api" })
      .waitFor();
    await picture("walkthrough");
    await window.command("Linkup: Stop");
    await window.stopped();
  } finally {
    await window.stop();
  }
}

/** The view in German. VS Code's own texts come with a language pack, which is not there. */
async function takeGermanPicture(): Promise<void> {
  const window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    colorTheme: "light",
    language: "de",
    size,
    settings: { "workbench.layoutControl.enabled": false, "breadcrumbs.enabled": false },
  });
  try {
    await window.showView();
    await widenSideBar(window);
    await window.button("Starten");
    await window.openFile("linkup.yaml");
    await window.inlineAction("api", "Auf lokal umschalten");
    await window.until(
      "the code lens",
      async () => (await window.page.getByText(/lokal · gesund/).count()) > 0,
    );
    await window.page.mouse.move(size.width - 2, size.height / 2);
    await window.page.screenshot({ path: join(images, "sessions-german.png"), animations: "disabled" });
    console.log("sessions-german.png");
    await window.command("Linkup: Stoppen");
    await window.stopped();
  } finally {
    await window.stop();
  }
}

/** So that addresses can be read. */
async function widenSideBar({ page }: Workbench): Promise<void> {
  const { x, width } = (await page.locator(".part.sidebar").boundingBox())!;
  await page.mouse.move(x + width, size.height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width + 150, size.height / 2, { steps: 5 });
  await page.mouse.up();
}
