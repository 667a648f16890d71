// Makes the pictures of the Requests view: light, dark and high contrast, wide and narrow, and frames of a use of it as an
// animated picture. Needs the example's ports.
// Run: node test/e2e/requests-pictures.ts [light] [dark] [hc] [film]
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

const images = join(root, "docs", "images");
const themes = (["light", "dark", "hc"] as const).filter(
  (theme) => process.argv.length === 2 || process.argv.includes(theme),
);
const WIDTHS = { wide: 1400, narrow: 700 };

await mkdir(images, { recursive: true });
const shop = await Shop.start("example");
try {
  for (const theme of themes) await takePictures(theme);
  if (process.argv.length === 2 || process.argv.includes("film")) await takeFilm();
} finally {
  await shop.stop();
}

async function takePictures(theme: (typeof themes)[number]): Promise<void> {
  const window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    colorTheme: theme,
    size: { width: WIDTHS.wide, height: 700 },
    settings: { "workbench.layoutControl.enabled": false },
  });
  const view = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
  const row = (text: string) => view.locator(".row", { hasText: text });
  try {
    const host = await startWithLocalApi(window);
    const api = host.replace(".", ".api.");
    await window.command("View: Close Primary Side Bar");
    await window.command("Linkup: Show Requests");
    await window.command("View: Toggle Maximized Panel");
    const headers = { "user-agent": "Mozilla/5.0 Firefox/145.0", cookie: "sid=4711" };
    await window.until("the Worker to report", async () => {
      await shop.ask(host, "/", headers);
      return (await row("remote").count()) > 0;
    });
    await view.getByText("Clear").click();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (const path of ["/", "/page.css", "/page.js", "/icon.svg"]) await shop.ask(host, path, headers);
    await shop.ask(api, "/health", { ...headers, origin: `http://${host}:${shop.workerPort}` });
    await shop.ask(host, "/auth/whoami", { ...headers, traceparent });
    await shop.ask(host, "/orders/17", headers);
    await shop.ask("api.shop.localhost", "/invoices", { traceparent, "user-agent": "billing/1.4" });
    await shop.ask(api, "/", { ...headers, traceparent });
    await row("lost the session").waitFor();
    await row(host.replace(".", ".api.")).last().click();
    await view.getByText("Worker and tunnel").waitFor();
    for (const [name, width] of Object.entries(WIDTHS)) {
      await window.page.setViewportSize({ width, height: 700 });
      await window.page.mouse.move(width - 4, 4);
      await window.until(
        "the width",
        async () =>
          (await view.locator("linkup-requests").evaluate((element) => element.clientWidth)) <= width,
      );
      await window.page.screenshot({
        path: join(images, `requests-${name}-${theme}.png`),
        animations: "disabled",
      });
      console.log(`requests-${name}-${theme}.png`);
    }
    await window.page.setViewportSize({ width: WIDTHS.wide, height: 700 });
    await window.command("Linkup: Stop");
  } finally {
    await window.stop();
  }
}

/** Requests come, one is looked at, its trace, the filter, who lost the session. */
async function takeFilm(): Promise<void> {
  const window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    size: { width: 1200, height: 620 },
    settings: { "workbench.layoutControl.enabled": false },
  });
  const view = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
  const row = (text: string) => view.locator(".row", { hasText: text });
  const frames: Buffer[] = [];
  const delays: number[] = [];
  const shoot = async (delay: number) => {
    await window.page.mouse.move(1196, 4);
    frames.push(await window.page.screenshot({ animations: "disabled" }));
    delays.push(delay);
  };
  try {
    const host = await startWithLocalApi(window);
    const api = host.replace(".", ".api.");
    await window.command("Linkup: Show Requests");
    await window.command("View: Toggle Maximized Panel");
    const headers = { "user-agent": "Mozilla/5.0 Firefox/145.0" };
    await window.until("the Worker to report", async () => {
      await shop.ask(host, "/", headers);
      return (await row("remote").count()) > 0;
    });
    await view.getByText("Clear").click();
    await shoot(900);
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (const [to, path] of [
      [host, "/"],
      [host, "/page.js"],
      [api, "/whoami"],
    ] as const) {
      const before = await view.locator(".row").count();
      await shop.ask(to, path, headers);
      await window.until("its row", async () => (await view.locator(".row").count()) > before);
      await shoot(900);
    }
    await row("/whoami").filter({ hasText: "api" }).first().click();
    await view.locator(".waterfall .span").nth(2).waitFor();
    await view.locator(".waterfall").scrollIntoViewIfNeeded();
    await shoot(3_000);
    await shop.ask(host, "/orders/17", { ...headers, traceparent });
    await shop.ask("api.shop.localhost", "/invoices", { traceparent, "user-agent": "billing/1.4" });
    await row("lost the session").waitFor();
    await view.locator(".rows").focus();
    await window.page.keyboard.press("Escape");
    await shoot(1_500);
    await view.locator("vscode-textfield input").fill("lost");
    await row("lost the session").click();
    await view.getByText("Likely sent by").waitFor();
    await shoot(3_000);
    await view.locator("vscode-textfield input").fill("");
    await window.command("Linkup: Stop");
  } finally {
    await window.stop();
  }
  const film = sharp(frames, { join: { animated: true } }).gif({
    delay: delays,
    loop: 0,
    colours: 96,
    effort: 7,
  });
  const { size } = await film.toFile(join(images, "requests.gif"));
  console.log(`requests.gif: ${frames.length} frames, ${size} bytes`);
}

/** A session whose api is local; resolves with its host. */
async function startWithLocalApi(window: Workbench): Promise<string> {
  await window.showView();
  await window.command("Linkup: Start");
  await window.until("the session", async () => (await window.tree()).includes("of 3 local"), 60_000);
  await window.inlineAction("api", "Route to Local");
  await window.until("api to be local", async () => (await window.tree()).includes("1 of 3 local"));
  return new URL(/http:\S+/.exec(await window.tree())![0]).hostname;
}
