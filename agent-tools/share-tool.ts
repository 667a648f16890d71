/** The tool that says who can open a session, and invites to it. */
import * as z from "zod/mini";
import { type Invite, type InviteRequest, MAX_INVITE_NAME } from "../core/api/access-api.ts";
import { MAX_EXPIRY_S } from "../core/api/worker-api.ts";
import { parseDuration } from "../core/session/duration.ts";
import { LinkupError } from "../manager/model/problem.ts";
import { agentTool } from "./agent-tool.ts";
import { config, described, session } from "./arguments.ts";
import { chosenSession } from "./chosen-session.ts";
import { withProgress } from "./progress.ts";

const MAX_LISTED = 50;
const ACTIONS = ["list", "invite", "revoke", "make_private", "make_public"] as const;

const inviteData = z.object({
  id: z.string(),
  for: z.nullable(z.string()),
  kind: z.string(),
  rights: z.array(z.string()),
  expires: described(z.string(), "ISO 8601."),
  uses: described(z.nullable(z.number()), "How often a link may be opened; null for any number."),
  used: z.number(),
});

const input = z.strictObject({
  action: described(
    z.enum(ACTIONS),
    "list: who can open the session, and its invites. invite: makes an invite. revoke: ends one. make_private, make_public: change who can open it.",
  ),
  for: described(
    z.optional(z.string().check(z.minLength(1), z.maxLength(MAX_INVITE_NAME))),
    "For invite: whom it is for, as the list shows it.",
  ),
  kind: described(
    z.optional(z.enum(["link", "token"])),
    "For invite: a link for a browser (default), or a token for programs, which send it in the header linkup-access.",
  ),
  expires: described(z.optional(z.string()), "For invite: 12h, 2d (default) or 2w; at most 366d."),
  uses: described(
    z.optional(z.int().check(z.gte(1), z.lte(1_000))),
    "For invite: how often the link may be opened. Default: any number.",
  ),
  may_route: described(
    z.optional(z.boolean()),
    "For invite: its holder may also route the session's services. Default false.",
  ),
  id: described(
    z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
    "For revoke: the invite's id, from list.",
  ),
  session,
  config,
});
type Input = z.output<typeof input>;

export const share = agentTool({
  name: "linkup_share",
  title: "Share Linkup session",
  description:
    "Says who can open a running Linkup session, and changes it: a public session is open to everyone who knows its URL, a private one only to those who are invited. Lists, makes and revokes invites. Each change takes the user's agreement, and an invite's link or token is a secret that is given only here and only then: give it to nobody but the user.",
  readOnly: false,
  insteadOfAsking: "in a terminal by linkup share, in VS Code by Linkup: Share Session",
  input,
  output: z.object({
    session: z.string(),
    access: z.string(),
    urls: z.array(z.string()),
    invites: z.optional(z.array(inviteData)),
    made: described(z.optional(inviteData), "The new invite."),
    secret: described(z.optional(z.string()), "The new invite's link or token: shown only now."),
    revoked: described(z.optional(z.string()), "The id of the invite that has ended."),
    note: z.optional(z.string()),
  }),
  async question(host, given) {
    if (given.action === "list") return undefined;
    assertArguments(given);
    const { name = "", access, urls } = await chosenSession(host, given);
    return shareQuestion(given, name, { access, urls });
  },
  async run(host, given, signal) {
    assertArguments(given);
    const selector = await host.selector(given, host.choose);
    const view = await chosenSession(host, given);
    const { manager } = host;
    const shown = (access = view.access) => ({
      session: view.name ?? "",
      access: access ?? "this machine only",
      urls: [...view.urls],
    });
    switch (given.action) {
      case "list": {
        // A public session of a Worker that knows no invites has none.
        const invites = await manager.invites(selector).catch((error: unknown) => {
          if (error instanceof LinkupError && error.problem.code === "access-unsupported") return [];
          throw error;
        });
        const left = invites.length - MAX_LISTED;
        return {
          ...shown(),
          invites: invites.slice(0, MAX_LISTED).map(dataOf),
          ...(left > 0 ? { note: `${left} older invites are left out.` } : {}),
        };
      }
      case "make_private":
      case "make_public": {
        const access = given.action === "make_private" ? "private" : "public";
        const changed = manager.setAccess(selector, access, signal);
        return shown((await withProgress(host, `Making the session ${access}`, changed)).access);
      }
      case "invite": {
        if (view.access !== "private" && !given.may_route)
          throw new Error(
            `The session ${view.name ?? ""} is public: everyone who knows its URL can open it, with an invite or without. Ask the user, then make it private first.`,
          );
        const made = await withProgress(
          host,
          "Creating the invite",
          manager.invite(selector, requestOf(given)),
        );
        const { url, token } = made;
        return { ...shown(), made: dataOf(made), secret: url ?? token ?? "" };
      }
      case "revoke": {
        await withProgress(host, "Revoking the invite", manager.revokeInvite(selector, given.id!));
        return { ...shown(), revoked: given.id! };
      }
    }
  },
});

/** What the user is asked. Plain text: session and invitee have names that others chose. */
export function shareQuestion(
  {
    action,
    for: whom,
    kind = "link",
    expires = "2d",
    uses,
    may_route,
    id,
  }: Omit<Input, "session" | "config">,
  name: string,
  { access, urls }: { access?: string | undefined; urls: readonly string[] },
): string {
  switch (action) {
    case "make_public":
      return `Make the session ${name} public? Everyone who knows its URL can open it then: ${urls.join(", ")}`;
    case "make_private":
      return `Make the session ${name} private? Those who are not invited can no longer open it.`;
    case "revoke":
      return `Revoke the invite ${id ?? ""} of the session ${name}? Everyone who used it loses access.`;
    case "invite": {
      const route = "route its services, also to this machine,";
      const may = [...(access === "private" ? ["open it"] : []), ...(may_route ? [route] : [])].join(" and ");
      const times = uses === undefined ? "" : `, ${uses === 1 ? "once" : `${uses} times`}`;
      return `Give the agent a ${kind} for the session ${name}? With it ${whom ?? "anyone"} can ${may || "open it"} for ${expires}${times}.`;
    }
    case "list":
      return "";
  }
}

function assertArguments({ action, expires, uses, kind, id }: Input): void {
  if (action === "revoke" && id === undefined)
    throw new Error('"id" is missing: call with action list first.');
  if (expires !== undefined && !(secondsOf(expires) <= MAX_EXPIRY_S))
    throw new Error(`"expires" must be a time such as 12h, 2d or 2w, of at most 366d, not "${expires}".`);
  if (uses !== undefined && kind === "token") throw new Error('"uses" is for links, not for tokens.');
}

function requestOf({ for: name, kind, expires, uses, may_route }: Input): InviteRequest {
  const seconds = expires === undefined ? undefined : secondsOf(expires);
  return {
    ...(seconds === undefined ? {} : { expires_in: seconds }),
    ...(name === undefined ? {} : { name }),
    ...(uses === undefined ? {} : { uses }),
    ...(kind === undefined ? {} : { kind }),
    ...(may_route ? { rights: ["visit", "route"] } : {}),
  };
}

function secondsOf(text: string): number {
  return parseDuration(text) ?? Number.NaN;
}

function dataOf({ id, name, kind, rights, expires, uses, used }: Invite): z.input<typeof inviteData> {
  return { id, for: name, kind, rights: [...rights], expires: new Date(expires).toISOString(), uses, used };
}
