/** `node dist/local-server.js [--home DIR] [--browser-port N] [--tunnel-port N] [--request-log N]` */
import { setFlagsFromString } from "node:v8";
import { log } from "../node/log.ts";
import { parseOptions } from "./options.ts";
import { startServer } from "./server.ts";

process.umask(0o077);
// Let the heap's nursery stay as it is: it grows to 150 MB under load, never shrinks, and makes the proxy no faster.
setFlagsFromString("--semi-space-growth-factor=1");
// What HTTP/2 leaves in the old generation is collected when that has doubled: by itself V8 lets it grow fourfold.
setFlagsFromString("--heap-growing-percent=100");

async function main(): Promise<void> {
  const started = await startServer(parseOptions(process.argv.slice(2), process.env));
  if (!started) {
    log("already running");
    process.exit(0);
  }
  // What one exchange runs into must not end all the others, nor the connections of other sessions.
  process.on("uncaughtException", (error) => log(`error: ${error.stack ?? error.message}`));
}

main().catch((error: Error) => {
  log(`cannot start: ${error.message}`);
  process.exit(1);
});
