import { expect, test } from "vitest";
import { formatText } from "../../../core/text.ts";
import { planTrust, trustGaps } from "../certificates/trust.ts";
import type { Machine } from "../system/machine.ts";
import { asText, type SystemStep } from "../system/step.ts";
import { chooseMethod, dnsAddress, planNames, planPorts } from "./name-plan.ts";

const linux: Machine = {
  platform: "linux",
  root: false,
  resolved: false,
  networkManagerDnsmasq: false,
  trust: [],
  bundles: [],
  nss: [],
  newNss: undefined,
  wsl: false,
  certutil: false,
  firstFreePort: 1024,
  exists: () => true,
  home: "/home/ada",
};
const mac: Machine = { ...linux, platform: "darwin", exists: () => false, firstFreePort: 0 };
const facts = { domains: ["example.com"], notAfter: 0, sha256: "ab".repeat(32), sha1: "CD".repeat(20) };

const done = (steps: SystemStep[], machine: Machine) =>
  steps.flatMap(({ commands }) => commands.map((command) => asText(command, machine)));
const undone = (steps: SystemStep[], machine: Machine) =>
  steps.flatMap(({ undo }) =>
    undo.map((each) => ("argv" in each ? asText(each, machine) : `block in ${each.hostsFile}`)),
  );

test("the method is what the machine has", () => {
  expect(chooseMethod(mac)).toBe("resolver-files");
  expect(chooseMethod({ ...linux, platform: "win32" })).toBe("nrpt");
  expect(chooseMethod({ ...linux, resolved: true, networkManagerDnsmasq: true })).toBe("systemd-resolved");
  expect(chooseMethod({ ...linux, networkManagerDnsmasq: true })).toBe("networkmanager-dnsmasq");
  expect(chooseMethod(linux)).toBe("hosts-file");
});

test("macOS: a file for each domain, in a folder that goes again", () => {
  const { steps, staged } = planNames(mac, ["example.com", "other.test"], [], "/s");
  expect(staged[0]).toEqual({
    name: "resolver-example.com",
    content: "# Linkup\nnameserver 127.0.0.1\nport 8053\n",
  });
  expect(done(steps.slice(0, 1), mac)).toEqual([
    "sudo install -d -m 755 /etc/resolver",
    "sudo install -m 644 /s/resolver-example.com /etc/resolver/example.com",
  ]);
  expect(undone(steps.slice(1), mac)).toEqual([
    "sudo rm -f /etc/resolver/other.test",
    "sudo find /etc/resolver -maxdepth 0 -empty -delete",
  ]);
});

test("systemd-resolved: a route for our domains, no more", () => {
  const machine = { ...linux, resolved: true };
  const { steps, staged } = planNames(machine, ["example.com", "other.test"], [], "/s");
  const unit = staged[0]!.content;
  expect(unit).toContain("\nExecStart=resolvectl dns linkup0 127.0.0.1:8053\n");
  expect(unit).toContain("\nExecStart=resolvectl domain linkup0 ~example.com ~other.test\n");
  expect(unit).toContain("\nExecStart=resolvectl default-route linkup0 no\n");
  expect(done(steps, machine)).toEqual([
    "sudo install -m 644 /s/linkup-local-dns.service /etc/systemd/system/linkup-local-dns.service",
    "sudo systemctl daemon-reload",
    "sudo systemctl enable --now linkup-local-dns.service",
  ]);
  expect(undone(steps, machine)).toEqual([
    "sudo systemctl disable --now linkup-local-dns.service",
    "sudo rm -f /etc/systemd/system/linkup-local-dns.service",
    "sudo systemctl daemon-reload",
  ]);
});

test("Windows: rules of our own, found by our name", () => {
  const machine: Machine = { ...linux, platform: "win32" };
  const { steps } = planNames(machine, ["example.com"], [], "/s");
  // Rules name an address alone: it is the one that local DNS listens on, at the port of DNS.
  const { address, port } = dnsAddress("win32");
  expect(port).toBe(53);
  expect(steps.flatMap(({ commands }) => commands.map(({ argv }) => argv))).toEqual([
    [
      "powershell",
      "-NoProfile",
      "-Command",
      `Add-DnsClientNrptRule -Namespace '.example.com' -NameServers '${address}' -Comment 'Linkup'`,
    ],
  ]);
  expect(undone(steps, machine)[0]).toContain("Remove-DnsClientNrptRule");
});

test("ports 80 and 443 need a step only where they need rights", () => {
  expect(done(planPorts(linux, "/s").steps, linux).at(-1)).toBe(
    "sudo sysctl -q -w net.ipv4.ip_unprivileged_port_start=80",
  );
  expect(undone(planPorts(linux, "/s").steps, linux).at(-1)).toBe(
    "sudo sysctl -q -w net.ipv4.ip_unprivileged_port_start=1024",
  );
  for (const machine of [mac, { ...linux, root: true }, { ...linux, firstFreePort: 0 }])
    expect(planPorts(machine, "/s").steps).toEqual([]);
});

test("trust: the user's own stores without an administrator, the system's with one", () => {
  const machine: Machine = {
    ...linux,
    trust: [
      { program: "update-ca-certificates", directory: "/usr/local/share/ca-certificates", extension: "crt" },
    ],
    nss: ["/home/ada/.pki/nssdb"],
    certutil: true,
  };
  const steps = planTrust(machine, "/h/authority.crt.pem", facts);
  expect(done(steps, machine)).toEqual([
    "sudo install -m 644 /h/authority.crt.pem /usr/local/share/ca-certificates/linkup-abababababababab.crt",
    "sudo update-ca-certificates",
    `certutil -A -d sql:/home/ada/.pki/nssdb -t C,, -n 'Linkup local development ${facts.sha256}' -i /h/authority.crt.pem`,
  ]);
  expect(done(planTrust(mac, "/h/a.pem", facts), mac)).toEqual([
    "security add-trusted-cert -r trustRoot -k /home/ada/Library/Keychains/login.keychain-db /h/a.pem",
  ]);
});

test("each store is left by the certificate's own fingerprint", () => {
  const windows: Machine = { ...linux, platform: "win32" };
  expect(undone(planTrust(mac, "/h/a.pem", facts), mac)[0]).toContain(`-Z ${facts.sha1}`);
  expect(undone(planTrust(windows, "/h/a.pem", facts), windows)[0]).toContain(facts.sha1);
});

test("browsers that cannot be told are named, with what helps", () => {
  const gapsOf = (machine: Machine) => trustGaps(machine).map((gap) => formatText(gap));
  expect(gapsOf({ ...linux, nss: ["/x"] }).join()).toContain("libnss3-tools");
  expect(gapsOf({ ...linux, newNss: "/x" }).join()).toContain("libnss3-tools");
  expect(gapsOf({ ...linux, wsl: true }).join()).toMatch(/certutil\.exe -user .*drivers\\etc\\hosts/);
});

test("a word with spaces or quotes is shown so that a shell reads it as one", () => {
  expect(asText({ argv: ["echo", "it's here"], admin: false }, linux)).toBe("echo 'it'\\''s here'");
});
