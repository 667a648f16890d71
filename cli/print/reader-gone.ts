/** What is written may have nobody to read it any more: `| head`, a terminal that was closed. */
import { EXIT } from "../exit-codes.ts";

/** As systems tell it: of a pipe, of a terminal, of a pipe of Windows. */
const GONE = new Set(["EPIPE", "EIO", "EOF"]);

/** It is lost then, and what was begun is finished all the same. Output that fails otherwise is a failure. */
export function outliveReaders(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (GONE.has(code ?? "")) return;
    process.stderr.write(`Error: standard output cannot be written: ${message}\n`);
    process.exitCode = EXIT.failed;
  });
}

/** For those that go on showing something, and do nothing else. */
export function endWithReader(): void {
  process.stdout.on("error", () => process.exit());
}
