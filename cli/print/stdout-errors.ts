/** EPIPE: `| head` or a closed terminal. */
import { EXIT } from "../exit-codes.ts";
import { printNote } from "./output.ts";

/** The reader has gone, as systems report it: of a pipe, of a terminal, of a pipe on Windows. */
const READER_GONE = new Set(["EPIPE", "EIO", "EOF"]);

/** Output without a reader is lost, and the command finishes its work. Any other error of stdout makes it fail. */
export function tolerateClosedOutput(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (READER_GONE.has(code ?? "")) return;
    printNote(`Error: cannot write to standard output: ${message}\n`);
    process.exitCode = EXIT.failed;
  });
}

/** For commands that only keep printing. */
export function exitWhenOutputCloses(): void {
  process.stdout.on("error", () => process.exit());
  watchReader();
}

/**
 * The next line would be the first to notice that the reader of a pipe has gone: Node polls no stream that it only writes to. GNU's
 * `tail` does, and dies of it; any other `tail` changes nothing.
 */
function watchReader(): void {
  // Loaded lazily: most commands end by themselves.
  const { fstatSync } = process.getBuiltinModule("node:fs");
  if (process.platform === "win32" || !fstatSync(process.stdout.fd).isFIFO()) return;
  const tail = process
    .getBuiltinModule("node:child_process")
    .spawn("tail", ["-f", `--pid=${process.pid}`, "/dev/null"], {
      stdio: ["ignore", "inherit", "ignore"],
    });
  tail.on("error", () => {});
  tail.on("exit", (_, signal) => signal === "SIGPIPE" && process.exit());
  tail.unref();
  process.on("exit", () => tail.kill());
}
