/** Live facts about a file besides its text: its session, listening ports, version control. */
import { hostAndPort } from "../../../core/config/checks/check-locations.ts";
import type { SessionView } from "../../../manager/model/snapshot.ts";

export interface EditorFacts {
  /** The session that this file has, if any. */
  session: SessionView | undefined;
  /** The names of all sessions that are known. */
  sessionNames: readonly string[];
  /** The TCP ports on which something listens on this machine; undefined while that is not known. */
  listening: ReadonlySet<number> | undefined;
  /** Git tracks the file, so others can read it. */
  tracked: boolean;
  /** Files that overrides respond with and that are not there, as the file names them. */
  missingFiles: ReadonlySet<string>;
}

export const NO_FACTS: EditorFacts = {
  session: undefined,
  sessionNames: [],
  listening: undefined,
  tracked: false,
  missingFiles: new Set(),
};

/** The port on this machine that a location means; undefined when it is elsewhere or no URL. */
export function localPort(location: string): number | undefined {
  const port = /^:(\d+)$/.exec(hostAndPort(location) ?? "")?.[1];
  return port === undefined ? undefined : Number(port);
}
