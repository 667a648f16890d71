/** The `linkup` command. */
import { enableCompileCache } from "node:module";
import { ConfigError } from "../manager/session/config-file.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { failure } from "./print/failure.ts";
import { program } from "./program.ts";

// Compiled code is kept beside other caches of Node: every start after the first is faster.
enableCompileCache?.();

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    const wantsJson = process.argv.includes("--json") && !(error instanceof ConfigError);
    process.stderr.write(failure(error, wantsJson));
    process.exitCode = exitCodeOf(error);
  }
}

void main();
