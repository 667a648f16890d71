/** A certificate that comes to its end while the local server runs. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { createAuthority } from "../../../core/certificates/certificate-authority.ts";
import { writeAuthority } from "../../../manager/components/certificates/authority-files.ts";
import { startLocalServer } from "../local-server/harness.ts";
import { check, skip } from "./checks.ts";
import { patiently } from "./systems.ts";

const DAY_MS = 86_400_000;

/** Its clock is put forward while it runs, and what it shows to browsers is renewed by itself. */
export async function renewal(directory: string, host: string): Promise<void> {
  console.log("\nA certificate that comes to its end");
  const library = process.env.LINKUP_FAKETIME;
  if (!library) {
    return skip("there is no libfaketime, which is in libfaketime.");
  }
  const home = join(directory, "home-renewal");
  const now = Date.now();
  await writeAuthority(home, await createAuthority(["example.com"], now));
  const clock = join(directory, "clock");
  writeFileSync(clock, "+0d");
  await using server = await startLocalServer(["--browser-port", "0"], {
    home,
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      DONT_FAKE_MONOTONIC: "1",
    },
  });
  await server.control("PUT", "/v1/leases/test", { ttl_ms: null });
  const shown = () =>
    new Promise<{ serial: string; socket: TLSSocket; days: number }>((resolve, reject) => {
      const socket = connect({
        port: server.status.browser_port,
        servername: host,
        rejectUnauthorized: false,
      });
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        const { serialNumber, valid_to } = socket.getPeerCertificate();
        resolve({ serial: serialNumber, socket, days: Math.round((Date.parse(valid_to) - now) / DAY_MS) });
      });
    });
  const first = await shown();
  check("the first one ends in 90 days", first.days === 90, String(first.days));
  for (const [day, what] of [
    [59, false],
    [61, true],
  ] as const) {
    writeFileSync(clock, `+${day}d`);
    const renewed = await patiently(async () => {
      const { serial, socket } = await shown();
      socket.destroy();
      return (serial !== first.serial) === what;
    });
    check(`${day} days later it is ${what ? "another one" : "the same"}`, renewed);
  }
  const second = await shown();
  check("which ends 90 days after it was made", second.days === 151, String(second.days));
  check(
    "what was open stays open, in the same process",
    !first.socket.destroyed && server.process.exitCode === null,
  );
  for (const { socket } of [first, second]) socket.destroy();
}
