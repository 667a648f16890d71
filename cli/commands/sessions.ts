/** `linkup sessions` */
import { newManager } from "../context.ts";
import { table } from "../print/table.ts";

export async function list(options: { json?: boolean }): Promise<void> {
  const { sessions } = await newManager({ keep: false }).look();
  if (options.json) {
    process.stdout.write(`${JSON.stringify(sessions)}\n`);
    return;
  }
  const rows = sessions.map(({ name, kind, state, urls, configPath }) => [
    name ?? "(no name yet)",
    kind,
    state,
    urls[0] ?? "",
    configPath ?? "",
  ]);
  process.stdout.write(
    rows.length > 0 ? table(["SESSION", "KIND", "STATE", "URL", "CONFIG"], rows) : "No session is running.\n",
  );
}
