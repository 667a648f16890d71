/** The `linkup` command. */
import { ConfigError } from "../manager/session/config-file.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { failure } from "./print/failure.ts";
import { program } from "./program.ts";

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
