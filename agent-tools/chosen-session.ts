/** The session that a call is about. */
import { type SessionView, selectedSession } from "../manager/model/snapshot.ts";
import type { AgentToolHost, SessionChoice } from "./agent-tool.ts";

/** Rejects with a sentence that names the running ones. */
export async function chosenSession(host: AgentToolHost, choice: SessionChoice): Promise<SessionView> {
  const selector = await host.selector(choice, host.choose);
  const snapshot = await host.manager.look();
  const found = selectedSession(snapshot, selector);
  if (!found) {
    const running = snapshot.sessions.map(({ name }) => name ?? "one without a name yet").join(", ");
    throw new Error(
      `There is no such session. ${running ? `Running: ${running}.` : "No session is running on this machine."}`,
    );
  }
  return found;
}
