/** The `linkup` command. */
import { proxyFetch } from "../node/forward-proxy.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { outdatedNode } from "./print/outdated-node.ts";
import { printNote } from "./print/output.ts";
import { tolerateClosedOutput } from "./print/stdout-errors.ts";

async function main(): Promise<void> {
  tolerateClosedOutput();
  proxyFetch();
  const json = process.argv.includes("--json");
  try {
    const { program } = await import("./program.ts");
    await program(json, process.argv.slice(2)).parseAsync();
  } catch (error) {
    const { failureText } = await import("./print/failure.ts");
    printNote(outdatedNode(process.versions.node, error, json) ?? failureText(error, json));
    process.exitCode = exitCodeOf(error);
  }
}

void main();
