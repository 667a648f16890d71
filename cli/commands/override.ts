/** `linkup override` */
import type { OverrideView, SessionView } from "../../manager/model/snapshot.ts";
import { newManager, selectSession } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { printResult } from "../print/output.ts";
import { spin } from "../print/spinner.ts";
import { table } from "../print/table.ts";

interface Options {
  all?: boolean;
  session?: string;
  config?: string;
  json?: boolean;
}

export async function listOverrides(options: Options): Promise<void> {
  const manager = newManager({ keep: false });
  const session = await manager.session(await selectSession(manager, options));
  printOverrides(session, options);
}

export async function switchOverrides(on: boolean, names: string[], options: Options): Promise<void> {
  const all = options.all ?? false;
  if (all === names.length > 0)
    throw new UsageError(all ? "Name overrides or use --all, not both." : "Name overrides, or use --all.");
  const manager = newManager({ keep: false });
  const selector = await selectSession(manager, options);
  const session = await spin("Switching", manager.setOverrides(selector, all ? "all" : names, on));
  printOverrides(session, options);
}

function printOverrides({ overrides = [] }: SessionView, { json }: Options): void {
  printResult(json, overrides, () => overridesText(overrides));
}

export function overridesText(overrides: readonly OverrideView[]): string {
  if (overrides.length === 0) return "linkup.yaml has no overrides.\n";
  const rows = overrides.map(({ name, on, service, does, when, unsupported }) => [
    name,
    on ? (unsupported ? "on, here only" : "on") : "off",
    service ?? "all",
    when,
    does,
  ]);
  return table(["OVERRIDE", "STATE", "SERVICE", "REQUESTS", "DOES"], rows);
}
