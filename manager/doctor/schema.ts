/** The schemas of what `--json` prints: docs/user/status.schema.json and docs/user/health.schema.json are made of them. */

import * as z from "zod/mini";
import { FALLBACKS } from "../../core/routing/fallback.ts";
import { SESSION_ACCESS } from "../../core/session/session-document.ts";

const described = <T extends z.ZodMiniType>(schema: T, description: string): T => {
  z.globalRegistry.add(schema, { description });
  return schema;
};
const maybe = <T extends z.core.$ZodType>(schema: T) => z.optional(schema);
const millis = (description: string) => described(z.number(), `${description} Milliseconds since the epoch.`);

const action = z.object({
  command: described(z.string(), "A command of the editor's extension, without `linkup.`."),
  title: z.string(),
  terminal: maybe(described(z.string(), "The same in a terminal.")),
});

const problem = z.object({
  code: described(z.string(), "For programs: it stays the same when the words change."),
  title: z.string(),
  message: described(z.string(), "What happened and where."),
  actions: described(z.array(action), "What helps."),
});

const service = z.object({
  name: z.string(),
  target: described(
    z.string(),
    "Where its requests go, confirmed by the local server and the Worker: `local`, `remote`, `auto`, a URL, the name of one of its targets in linkup.yaml, or `session:NAME`.",
  ),
  now: maybe(
    described(
      z.enum(["local", "remote", "restarting"]),
      "Of the target `auto`: where its requests go now. `restarting`: to the remote copy, because the local one keeps ending.",
    ),
  ),
  waitMs: maybe(
    described(
      z.number(),
      "While that is `restarting`: for how many milliseconds the local copy has to listen before requests go there.",
    ),
  ),
  fallback: maybe(
    described(
      z.enum(FALLBACKS),
      "Why its requests go to the remote copy, where another session should serve it.",
    ),
  ),
  url: maybe(described(z.string(), "Of a target beyond local and remote.")),
  targets: maybe(described(z.array(z.string()), "The names of its further targets in linkup.yaml.")),
  changing: described(z.boolean(), "True while a toggle is under way."),
  routedBy: maybe(described(z.string(), "Who routed it last by an invite.")),
  overridden: maybe(
    described(z.literal(true), "Set when the session takes it from another URL than the file's."),
  ),
  local: z.string(),
  remote: z.string(),
  health: described(z.enum(["unknown", "healthy", "unhealthy"]), "Of the copy that its requests reach now."),
  latencyMs: maybe(described(z.number(), "Milliseconds of the last answer.")),
  reason: maybe(described(z.string(), "Why it is unhealthy.")),
});

const override = z.object({
  name: z.string(),
  on: z.boolean(),
  service: maybe(described(z.string(), "The only service that it is about; missing: all.")),
  does: described(
    z.string(),
    "Where its requests go: `local`, `remote`, a URL or a named target; or `respond STATUS`, or `fault`.",
  ),
  when: described(z.string(), "What its requests have in common: methods, domain, path, headers."),
  unsupported: maybe(
    described(
      z.literal(true),
      "The Worker does not know overrides: only requests that begin on this machine are overridden.",
    ),
  ),
});

const session = z.object({
  name: maybe(described(z.string(), "Missing until there is one.")),
  kind: z.enum(["tunneled", "isolated", "preview"]),
  state: z.enum(["starting", "running", "stopping", "failed"]),
  access: maybe(
    described(
      z.enum(SESSION_ACCESS),
      "Who can open it. Missing for an isolated session, which is on this machine only.",
    ),
  ),
  secondary: described(z.boolean(), "True for a session that was created beside the file's own one."),
  configPath: maybe(described(z.string(), "The linkup.yaml it came from.")),
  workerUrl: z.string(),
  urls: described(
    z.array(z.string()),
    "One for each domain, in the order of the file, without urlsWithoutCertificate.",
  ),
  urlsWithoutCertificate: maybe(
    described(
      z.array(z.string()),
      "Those that browsers refuse: hosts two labels below their zone, for which Cloudflare has no certificate.",
    ),
  ),
  shareTargets: maybe(described(z.literal(true), "Set when other sessions may route to its services.")),
  services: z.array(service),
  overrides: maybe(
    described(z.array(override), "The overrides of its linkup.yaml, in order. Missing when there are none."),
  ),
});

const component = z.object({
  id: z.enum(["local-server", "tunnel", "local-dns", "worker"]),
  state: z.enum(["stopped", "starting", "ready", "failed"]),
  pid: maybe(z.number()),
  since: millis("When it reached this state."),
  detail: described(z.string(), "An address, or why it failed."),
  outdated: described(z.boolean(), "It works, and lacks what one of this version can do."),
});

export const snapshot = described(
  z.object({ sessions: z.array(session), components: z.array(component), problems: z.array(problem) }),
  "What `linkup status --json` prints.",
);

const check = z.object({
  id: described(z.string(), "What was looked at."),
  subject: maybe(described(z.string(), "Which one, where there are several.")),
  state: described(
    z.enum(["ok", "warning", "broken"]),
    "A warning works, and something about it should be known.",
  ),
  found: z.string(),
  code: maybe(described(z.string(), "The problem's code, as in `linkup status`.")),
  fixes: described(z.array(action), "What helps."),
});

const backgroundService = described(
  z.union([z.enum(["NotInstalled", "Stopped"]), z.object({ Running: z.number() })]),
  "With the pid of one that runs.",
);

export const healthReport = described(
  z.object({
    schema: described(z.literal(1), "The version of this structure."),
    at: millis("When it was made."),
    healthy: described(z.boolean(), "True when nothing is broken."),
    versions: z.object({ linkup: z.string(), node: z.string(), platform: z.string() }),
    home: described(z.string(), "Where Linkup keeps its state."),
    linkup: described(
      z.object({
        version: z.string(),
        config_location: z.string(),
        config_exists: z.boolean(),
        config_content: described(z.array(z.string()), "The names of its files."),
      }),
      "The state folder. This member and the next two are as in the existing Linkup.",
    ),
    background_services: z.object({
      linkup_server: backgroundService,
      cloudflared: backgroundService,
      dns_server: backgroundService,
      possible_orphan_processes: z.array(z.object({ cmd: z.string(), pid: z.number() })),
    }),
    local_dns: z.object({
      is_installed: z.boolean(),
      resolvers: described(z.array(z.string()), "The domains that it resolves."),
    }),
    checks: z.array(check),
    snapshot,
  }),
  "What `linkup health --json` prints.",
);

/** JSON Schema, draft 2020-12. */
export function jsonSchema(schema: z.ZodMiniType, title: string): Record<string, unknown> {
  return { title, ...z.toJSONSchema(schema, { io: "input" }) };
}
