// Local DNS and certificates put into a machine for real, in a namespace: see test/dns/namespace.ts.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const PACKAGES = {
  unshare: "util-linux",
  ip: "iproute2",
  mount: "mount",
  certutil: "libnss3-tools",
  dnsmasq: "dnsmasq-base",
  curl: "curl",
  "update-ca-certificates": "ca-certificates",
};
const missing = Object.keys(PACKAGES).filter((program) => spawnSync("which", [program]).status !== 0);
const packages = missing.map((program) => PACKAGES[program]);
if (!existsSync(process.env.CHROMIUM_PATH ?? "/usr/bin/chromium")) packages.push("chromium");
if (process.platform !== "linux" || process.getuid() !== 0) {
  console.error(
    "This test needs Linux and root: it makes a mount and network namespace for itself (unshare -mn).",
  );
  process.exit(2);
}
if (packages.length > 0) {
  console.error(`This test needs: apt-get install -y --no-install-recommends ${packages.join(" ")}`);
  process.exit(2);
}
const { status } = spawnSync(
  "unshare",
  ["-mn", "--propagation", "private", process.execPath, "test/dns/namespace.ts"],
  {
    cwd: resolve(import.meta.dirname, ".."),
    stdio: "inherit",
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  },
);
process.exitCode = status ?? 1;
