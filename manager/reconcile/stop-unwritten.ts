/** Stops sessions although the state cannot be written, as on a full disk. */
import { text } from "../../core/text.ts";
import { LinkupError, problemOf, textOf } from "../model/problem.ts";
import { isDesired, needsLocalServer } from "../model/records.ts";
import type { SessionRecord, State } from "../model/state.ts";
import { endProcess } from "../process/child.ts";
import type { Reconciler } from "./reconciler.ts";

/**
 * Ends these sessions, and what no other one needs; then rejects with a LinkupError that says that it is done and not
 * written down. `cause`: why not.
 */
export async function stopUnwritten(
  { sessionReconciler, localServer }: Pick<Reconciler, "sessionReconciler" | "localServer">,
  { sessions, keeper, local_dns }: State,
  ended: readonly SessionRecord[],
  cause: unknown,
): Promise<never> {
  const others = sessions.filter((record) => isDesired(record) && !ended.includes(record));
  const failures: string[] = [];
  const step = async (work: Promise<unknown>) => {
    try {
      await work;
    } catch (error) {
      failures.push((error as Error).message);
    }
  };
  const last = !others.some(needsLocalServer);
  // The keeper would restart what the state lists.
  if (last && keeper) await step(endProcess(keeper));
  const takeDown = async (record: SessionRecord) => {
    const left = await sessionReconciler.takeDown(record);
    if (left) failures.push(left.problem.message);
  };
  await Promise.all(ended.map((record) => step(takeDown(record))));
  const gone = (session: string) => !others.some(({ id }) => id === session);
  for (const { message } of await sessionReconciler.envFiles.restore(gone)) failures.push(message);
  if (last && local_dns.process) await step(endProcess(local_dns.process));
  if (last) await step(localServer.end());

  const names = ended.map(({ name }) => name ?? "the session").join(", ");
  const why = textOf(problemOf(cause, "state-unusable"));
  const done =
    failures.length === 0
      ? text("{0} is stopped, but the new state could not be saved. {1}", names, why)
      : text("{0} is only partly stopped, and the new state could not be saved. {1}", names, why);
  throw new LinkupError(
    "state-unusable",
    text(
      "{0}\nUntil the state can be saved, {1} is still listed as running.",
      failures.length === 0 ? done : text("{0}\n{1}", done, failures.join("\n")),
      names,
    ),
    [{ command: "stop", title: "Free disk space, then stop it again", terminal: "linkup stop" }],
    { cause },
  );
}
