/** Ports for what starts later, or ends and starts again. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port of 127.0.0.1 and ::1 that nobody listens on, and that nobody is given meanwhile: it is below those that the
 * system gives to whoever asks for any (32768 and more on Linux, 49152 and more elsewhere).
 */
export async function reservedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    if ((await isFree(port, "127.0.0.1")) && (await isFree(port, "::1"))) return port;
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
