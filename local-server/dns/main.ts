/**
 * `node dist/local-dns.js [--home DIR] [--listen ADDRESS:PORT] [--forward HOST[:PORT]|none]… [--while FILE]`
 * Answers for the hosts of the running sessions, and forwards all other queries. Ends when there is neither a local server nor
 * the file: while local DNS is installed, the system asks no other resolver for its domains.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { LEASE_GRACE_MS } from "../../core/api/control-api.ts";
import { controlAddress } from "../../node/control-address.ts";
import { log } from "../../node/log.ts";
import { collectWhenIdle, IdleDetector } from "../idle-detector.ts";
import { startDns } from "./dns-server.ts";
import { Forwarder } from "./forwarder.ts";
import { parseResolver, type Resolver, systemResolvers } from "./resolvers.ts";
import { SessionHostNames } from "./session-host-names.ts";

const DEFAULT_LISTEN = "127.0.0.1:8053";
/** How often the local server is probed and the system's resolvers are read again. */
const PROBE_MS = 5_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      home: { type: "string" },
      listen: { type: "string", default: DEFAULT_LISTEN },
      forward: { type: "string", multiple: true, default: [] },
      while: { type: "string" },
    },
  });
  const home = resolve(values.home || process.env.LINKUP_HOME || `${homedir()}/.linkup`);
  const listen = parseResolver(values.listen);
  if (!listen?.address.startsWith("127.") || listen.port > 65535)
    throw new Error(
      `--listen must be an address of this machine and a port, as in ${DEFAULT_LISTEN}, not "${values.listen}".`,
    );

  const names = new SessionHostNames(controlAddress(home));
  let resolvers = parseForward(values.forward);
  const forwarder = values.forward.includes("none") ? undefined : new Forwarder(() => resolvers);
  const server = await startDns(listen, names, forwarder);
  const readResolvers = () => {
    if (values.forward.length === 0) resolvers = systemResolvers({ ...listen, port: server.port });
  };
  readResolvers();

  const stop = (reason: string) => {
    log(`stopping: ${reason}`);
    server.close();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop(`received ${signal}`));
  const idleDetector = new IdleDetector();
  setInterval(async () => {
    collectWhenIdle(idleDetector);
    readResolvers();
    await names.refresh();
    const needed = values.while !== undefined && existsSync(values.while);
    if (!needed && performance.now() - names.lastSeen > LEASE_GRACE_MS) stop("the local server is gone");
  }, PROBE_MS);
  process.on("uncaughtException", (error) => log(`error: ${error.stack ?? error.message}`));
  log(`local DNS started, process ${process.pid}`);
  log(`dns port ${server.port}`);
}

/** Throws an Error that names the invalid argument. */
function parseForward(forward: string[]): Resolver[] {
  return forward
    .filter((text) => text !== "none")
    .map((text) => {
      const resolver = parseResolver(text);
      if (!resolver)
        throw new Error(`--forward must be an IP address with or without a port, not "${text}".`);
      return resolver;
    });
}

main().catch((error: Error) => {
  log(`cannot start: ${error.message}`);
  process.exit(1);
});
