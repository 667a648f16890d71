/** `linkup route` */
import { newManager, selectSession } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { printResult } from "../print/output.ts";
import { spin } from "../print/spinner.ts";
import { sessionText } from "../print/status.ts";

interface Options {
  all?: boolean;
  session?: string;
  config?: string;
  json?: boolean;
}

export async function route(target: string, services: string[], options: Options): Promise<void> {
  if (target === "")
    throw new UsageError("Name a target: local, remote, auto, a URL, a name or session:NAME.");
  const all = options.all ?? false;
  if (all === services.length > 0) throw new UsageError("Name services or use --all, not both.");
  const manager = newManager({ keep: false });
  const selector = await selectSession(manager, options);
  const session = await spin("Routing", manager.route(selector, all ? "all" : services, target));
  printResult(options.json, session, () => sessionText(session));
}
