/** What this Worker is and can do, for clients that also know other Workers. */
import { version } from "../package.json";

export const VERSION = version;

export const CAPABILITIES = ["origin-secret", "list-sessions", "inspect-session", "delete-session"];
