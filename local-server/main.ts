/** `node dist/local-server.js [--home DIR] [--browser-port N] [--tunnel-port N] [--request-log N]` */
import { proxyFetch } from "../node/forward-proxy.ts";
import { log } from "../node/log.ts";
import { limitHeapGrowth, optimizeSooner } from "./node-internals.ts";
import { parseOptions } from "./options.ts";
import { startServer } from "./server.ts";

process.umask(0o077);
limitHeapGrowth();
optimizeSooner();

async function main(): Promise<void> {
  proxyFetch();
  const started = await startServer(parseOptions(process.argv.slice(2), process.env));
  if (!started) {
    log("already running");
    process.exit(0);
  }
  // A fault in one exchange must not end the others.
  process.on("uncaughtException", (error) => log(`error: ${error.stack ?? error.message}`));
}

main().catch((error: NodeJS.ErrnoException) => {
  const isLimit = error.code === "EMFILE" || error.code === "ENFILE";
  const advice = isLimit
    ? " This process may not open enough files and connections: raise the limit (ulimit -n 4096), and start again."
    : "";
  log(`cannot start: ${error.message}${advice && `.${advice}`}`);
  process.exit(1);
});
