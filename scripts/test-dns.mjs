// Local DNS and certificates put into a machine for real, in a namespace: see test/integration/dns/namespace.ts.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CHROMIUM } from "../test/support/chromium.ts";

const root = resolve(import.meta.dirname, "..");
const PACKAGES = {
  unshare: "util-linux",
  ip: "iproute2",
  mount: "mount",
  certutil: "libnss3-tools",
  dnsmasq: "dnsmasq-base",
  "dbus-daemon": "dbus-daemon",
  curl: "curl",
  dig: "bind9-dnsutils",
  trust: "p11-kit p11-kit-modules",
  "update-ca-certificates": "ca-certificates",
};
const missing = Object.keys(PACKAGES).filter((program) => spawnSync("which", [program]).status !== 0);
const packages = missing.map((program) => PACKAGES[program]);
if (!existsSync(CHROMIUM)) packages.push("chromium");
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

/**
 * Daemons that would take this machine's names over if they were installed: unpacked into a folder, with all that they
 * need. Where there is no apt-get, the machine's own are taken, or the test skips what needs them and says so.
 */
function unpackedSystems() {
  const cache = join(root, "node_modules/.cache/linkup-dns-systems");
  if (existsSync(join(cache, "done"))) return cache;
  rmSync(cache, { recursive: true, force: true });
  const archives = join(cache, "archives");
  mkdirSync(join(archives, "partial"), { recursive: true });
  const wanted = ["systemd-resolved", "network-manager", "libfaketime"];
  const fetched = spawnSync(
    "apt-get",
    [
      ...["-qq", "install", "--download-only", "--reinstall", "-y", "--no-install-recommends"],
      ...["-o", `Dir::Cache::archives=${archives}`, ...wanted],
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  if (fetched.status !== 0) return "/";
  for (const name of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    const { status } = spawnSync("dpkg", ["-x", join(archives, name), cache], { stdio: "inherit" });
    if (status !== 0) return "/";
  }
  rmSync(archives, { recursive: true });
  writeFileSync(join(cache, "done"), "");
  return cache;
}

const systems = unpackedSystems();
const [faketime = ""] = globSync(join(systems, "usr/lib/*/faketime/libfaketime.so.1"));
const { status } = spawnSync(
  "unshare",
  [
    "-mnpf",
    "--mount-proc",
    "--kill-child",
    "--propagation",
    "private",
    process.execPath,
    "test/integration/dns/namespace.ts",
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      NODE_NO_WARNINGS: "1",
      LINKUP_DNS_SYSTEMS: systems,
      LINKUP_FAKETIME: faketime,
      LINKUP_HOST_MOUNTS: readlinkSync("/proc/self/ns/mnt"),
    },
  },
);
process.exitCode = status ?? 1;
