/** The log writer process: it exits with the process it writes for. */
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { ProcessId } from "../../node/process-identity.ts";
import { childEnv, endProcess, startDetached, waitForEnd } from "./child.ts";

export interface LogWriterOptions {
  home: string;
  dist: string;
  node?: string;
  env: NodeJS.ProcessEnv;
}

export interface LogWriter {
  id: ProcessId;
  /** The pipe for the other process's output. The starter closes its own end. */
  input: Writable;
}

/** The remaining output arrives within a moment. */
const END_MS = 2_000;

/** What it needs to know travels by environment: arguments are for everyone to see, and to take it for what it writes for. */
export async function startLogWriter(
  { home, dist, node, env }: LogWriterOptions,
  path: string,
  secrets: readonly string[],
): Promise<LogWriter> {
  const { id, input } = await startDetached(
    node ?? process.execPath,
    // The home is there for people, and for Doctor, to know it by.
    [join(dist, "cli.js"), "write-log", "--home", home],
    {
      cwd: home,
      env: childEnv(env, {
        ELECTRON_RUN_AS_NODE: "1",
        LINKUP_HOME: home,
        LINKUP_LOG: path,
        LINKUP_SECRETS: JSON.stringify(secrets),
      }),
      input: true,
      output: path,
    },
    // Without an input it ends by itself.
    async () => {},
  );
  return { id, input: input! };
}

/** Waits until all output of an ended process is written. */
export async function endLogWriter(id: ProcessId): Promise<void> {
  if (!(await waitForEnd(id, END_MS))) await endProcess(id, 0);
}
