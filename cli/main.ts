/** The `linkup` command. */
import { exitCodeOf } from "./exit-codes.ts";
import { failure } from "./print/failure.ts";
import { outliveReaders } from "./print/reader-gone.ts";

async function main(): Promise<void> {
  outliveReaders();
  const json = process.argv.includes("--json");
  try {
    // One runs beside each cloudflared: it loads nothing of what the commands need.
    if (process.argv[2] === "write-log") {
      const { writeLogOf } = await import("./commands/write-log.ts");
      return await writeLogOf(process.env);
    }
    const { program } = await import("./program.ts");
    await program(json).parseAsync();
  } catch (error) {
    process.stderr.write(failure(error, json));
    process.exitCode = exitCodeOf(error);
  }
}

void main();
