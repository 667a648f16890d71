/** Who else uses a session that a command is about to end. */
import type { Manager } from "../../manager/manager.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";

/** The sessions that others use, with the others in words: `2 windows of an editor and 1 other terminal`. */
export async function usedByOthers(
  manager: Manager,
  sessions: readonly SessionView[],
): Promise<{ name: string; users: string }[]> {
  const found = [];
  for (const { name, configPath, secondary } of sessions) {
    if (name === undefined || secondary) continue;
    const { windows, terminals } = await manager.otherUsers(configPath);
    const users = [
      ...(windows > 0 ? [windows === 1 ? "1 window of an editor" : `${windows} windows of an editor`] : []),
      ...(terminals > 0 ? [terminals === 1 ? "1 other terminal" : `${terminals} other terminals`] : []),
    ].join(" and ");
    if (users) found.push({ name, users });
  }
  return found;
}
