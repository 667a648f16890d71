/** The `linkup` command. */
import { exitCodeOf } from "./exit-codes.ts";
import { failure } from "./print/failure.ts";
import { program } from "./program.ts";

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    process.stderr.write(failure(error, process.argv.includes("--json")));
    process.exitCode = exitCodeOf(error);
  }
}

void main();
