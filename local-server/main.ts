/** `node dist/local-server.js [--home DIR] [--browser-port N] [--tunnel-port N]` */
import { log } from "./log.ts";
import { parseOptions } from "./options.ts";
import { startServer } from "./server.ts";

process.umask(0o077);

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
