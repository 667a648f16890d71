/** The `linkup` command. */
import { exitCodeOf } from "./exit-codes.ts";
import { failure } from "./print/failure.ts";

async function main(): Promise<void> {
  try {
    // One runs beside each cloudflared: it loads nothing of what the commands need.
    if (process.argv[2] === "write-log") {
      const { writeLogOf } = await import("./commands/write-log.ts");
      return await writeLogOf(process.env);
    }
    const { program } = await import("./program.ts");
    await program().parseAsync();
  } catch (error) {
    process.stderr.write(failure(error, process.argv.includes("--json")));
    process.exitCode = exitCodeOf(error);
  }
}

void main();
