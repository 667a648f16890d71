/** What a Worker answers, checked: parts of it become names of files and hosts, and all of it lies in the state. */
import * as z from "zod/mini";
import type { TunneledSession, WorkerCapabilities } from "../../../core/api/control-api.ts";
import { isSessionName } from "../../../core/session/session-name.ts";

const sessionName = z.string().check(z.refine(isSessionName, "is no session name"));

/** Of a preview. */
export const namedAnswer = z.object({ session_name: sessionName });

/** Of a tunneled session; a Worker of the original gives no `origin_secret`. */
export const tunneledAnswer: z.ZodMiniType<TunneledSession> = z.object({
  session_name: sessionName,
  tunnel_data: z.object({
    account_id: z.string(),
    name: z.string(),
    url: z.string().check(z.refine((url) => URL.canParse(url), "is no URL")),
    id: z.string(),
    secret: z.string(),
    last_started: z.number(),
  }),
  origin_secret: z.exactOptional(z.string()),
});

/** Of a deletion by pattern. */
export const deletedAnswer = z.object({ deleted: z.array(z.string()) });

export const capabilitiesAnswer: z.ZodMiniType<WorkerCapabilities> = z.object({
  version: z.string(),
  tunnel: z.enum(["cloudflare", "direct"]),
  capabilities: z.array(z.string()),
});

/** Of all sessions. */
export const listAnswer = z.object({ sessions: z.array(namedAnswer) });

/** The answer, or the name of its first part that is missing or wrong. */
export function readAnswer<T>(
  schema: z.ZodMiniType<T>,
  text: string,
): { ok: true; value: T } | { ok: false; wrong: string } {
  const read = schema.safeParse(parseJson(text));
  if (read.success) return { ok: true, value: read.data };
  return { ok: false, wrong: read.error.issues[0]!.path.join(".") || "JSON object" };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a Worker of the original can do; it has no way to say so. */
export const ORIGINAL_WORKER: WorkerCapabilities = {
  version: "original",
  tunnel: "cloudflare",
  capabilities: [],
};

/** Of the original, or of an older major version than ours: before 1.0 of an older minor one. */
export function isOutdated({ version }: WorkerCapabilities, ours: string): boolean {
  if (version === ORIGINAL_WORKER.version) return true;
  const [[major = 0, minor = 0], [ourMajor = 0, ourMinor = 0]] = [version, ours].map((text) =>
    text.split(/[.+-]/, 2).map(Number),
  ) as [number[], number[]];
  return major < ourMajor || (major === 0 && ourMajor === 0 && minor < ourMinor);
}
