/** `linkup stop` */
import { newManager, selectSession } from "../context.ts";
import { spin } from "../print/spinner.ts";

export async function stop(options: { session?: string; config?: string; all?: boolean }): Promise<void> {
  const manager = newManager({ keep: false });
  await spin("Stopping", manager.stop(options.all ? "all" : await selectSession(manager, options)));
}
