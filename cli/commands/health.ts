/** `linkup health`, also called `doctor` */
import { reportedHealth } from "../../manager/doctor/report.ts";
import { findConfig, newManager } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { healthText } from "../print/health.ts";
import { printNote, printResult } from "../print/output.ts";
import { spin } from "../print/spinner.ts";

export async function health(options: {
  config?: string;
  json?: boolean;
  endOrphans?: boolean;
}): Promise<void> {
  const manager = newManager({ keep: false });
  if (options.endOrphans) {
    const ended = await manager.endOrphans();
    printNote(
      ended.length > 0
        ? `Ended orphaned processes: ${ended.join(", ")}\n`
        : "There were no orphaned processes.\n",
    );
  }
  const report = await spin("Checking", manager.health(findConfig(options.config)));
  printResult(options.json, reportedHealth(report), () => healthText(report));
  if (!report.healthy) process.exitCode = EXIT.unhealthy;
}
