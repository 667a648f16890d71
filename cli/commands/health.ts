/** `linkup health`, also called `doctor` */
import { findConfig, newManager } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { healthText } from "../print/health.ts";
import { spin } from "../print/spinner.ts";

export async function health(options: {
  config?: string;
  json?: boolean;
  endOrphans?: boolean;
}): Promise<void> {
  const manager = newManager({ keep: false });
  if (options.endOrphans) {
    const ended = await manager.endOrphans();
    process.stderr.write(ended.length > 0 ? `Ended: ${ended.join(", ")}\n` : "There was nothing to end.\n");
  }
  const report = await spin("Looking", manager.health(findConfig(options.config)));
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : healthText(report));
  if (!report.healthy) process.exitCode = EXIT.unhealthy;
}
