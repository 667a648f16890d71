/** `linkup stop` */
import { newManager, selectSession } from "../context.ts";
import { usedByOthers } from "../print/other-users.ts";
import { print, printJson, printNote } from "../print/output.ts";
import { spin } from "../print/spinner.ts";

interface Options {
  session?: string;
  config?: string;
  all?: boolean;
  json?: boolean;
}

export async function stop(options: Options): Promise<void> {
  const manager = newManager({ keep: false });
  const before = (await manager.look()).sessions;
  const selector = options.all ? "all" : await selectSession(manager, options);
  const used = await usedByOthers(manager, before);
  await spin("Stopping", manager.stop(selector));
  for (const { name, users } of used)
    if (!(await manager.look()).sessions.some((session) => session.name === name))
      printNote(`Note: ${name} was in use by ${users}.\n`);
  for (const path of await manager.envFilesLeft())
    printNote(
      `Note: ${path} could not be written and still has the session's variables. When it is writable again, run: linkup stop --all\n`,
    );
  const { sessions: running, problems } = await manager.look();
  for (const { code, message } of problems) if (code === "session-left") printNote(`Note: ${message}\n`);
  const stopped = before.filter(({ name }) => !running.some((session) => session.name === name));
  if (options.json) printJson({ stopped: stopped.map(({ name }) => name) });
  else if (stopped.length === 0) print("No session was running.\n");
  else
    for (const { name, kind } of stopped) print(`Stopped ${name ?? "a session without a name"} (${kind})\n`);
}
