// Sessions through cloudflared, with a Worker of the original: what the user sees when the tunnel is in trouble.
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TOKEN, World } from "../integration/manager/world.ts";
import { root } from "./install.ts";
import { Workbench } from "./workbench.ts";

let world: World;
let window: Workbench;

beforeEach(async () => {
  world = await World.create("cloudflare");
});
afterEach(async () => {
  await window?.stop();
  await world?.[Symbol.asyncDispose]();
});

async function open(env: Record<string, string>): Promise<void> {
  window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [world.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN, ...world.edge!.environment, ...env },
  });
  await window.showView();
}

const toast = (pattern: RegExp) => window.toast(pattern, 90_000);
const inTree = (pattern: RegExp) => window.inTree(pattern, 90_000);

test("without cloudflared an error offers to install it", async () => {
  await open({});
  await window.command("Linkup: Start");
  const said = await toast(/needs Cloudflare's program cloudflared/);
  expect(said).toContain("[Install cloudflared] [Start Isolated]");
  expect(said).toContain("linkup.cloudflaredPath");
  await inTree(/cloudflared is not installed/);
  await window.screenshot("failure-no-cloudflared");
  await window.button("Install cloudflared");
  // Of what is downloaded where nothing can install it by one command, VS Code asks first.
  await window.until("the page of downloads", async () =>
    (await window.dialog())?.includes("developers.cloudflare.com"),
  );
  await window.button("Cancel");
});

test("the tunnel is lost and found again; a Worker of the original is marked, and Doctor knows what it lacks", async () => {
  // VS Code takes the PATH of a login shell, which knows nothing of the stand-in's folder.
  const CLOUDFLARED_PATH = join(world.folder, "bin", "cloudflared");
  await open({ CLOUDFLARED_PATH, CLOUDFLARED_FAULTS: world.env.CLOUDFLARED_FAULTS! });
  await window.command("Linkup: Start");
  await inTree(/▾ [a-z]+-[a-z]+ {2}0 of 2 local/);
  await inTree(/▾ Components {2}Worker outdated/);
  await inTree(/Worker {2}ready · outdated · http:\S+, of the original Linkup\./);
  const [, pid] = await inTree(/Tunnel {2}ready · pid (\d+)/);

  world.setFaults({ exit: "offline" });
  process.kill(Number(pid), "SIGKILL");
  expect(await toast(/no such host\. \[/)).toContain("[Show Logs]");
  await inTree(/The tunnel is down|Tunnel {2}failed/);
  await window.screenshot("failure-tunnel-lost");
  world.setFaults({});
  await inTree(/Components {2}Worker outdated/);
  await window.until(
    "the problem to be gone",
    async () => !(await window.tree()).includes("The tunnel is down"),
  );

  const pidIn = async () => /Tunnel {2}ready · pid (\d+)/.exec(await window.tree())?.[1];
  const found = await pidIn();
  await window.inlineAction("Tunnel", "Restart");
  await window.until("another cloudflared", async () => {
    const now = await pidIn();
    return now !== undefined && now !== found;
  });

  await window.command("Linkup: Doctor");
  await window.until("what the Worker lacks", async () => {
    const frame = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
    return (await frame.locator("body").textContent())?.includes("An original Worker");
  });
  await window.screenshot("failure-old-worker");
});
