/** Ports for what starts later, or ends and starts again. */
import { randomInt } from "node:crypto";
import { freePort } from "../../scripts/free-port.mjs";

const given = new Set<number>();

/**
 * A port of both loopback addresses that nobody listens on, and that nobody is given meanwhile: it is below those that the
 * system gives to a program that asks for any (32768 and more on Linux, 49152 and more elsewhere).
 */
export async function reservedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    if (given.has(port)) continue;
    given.add(port);
    if ((await freePort(port)) === port) return port;
  }
}
