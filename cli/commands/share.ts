/** `linkup share`: invites to a session. */
import { type Invite, type InviteRequest, MAX_INVITE_NAME } from "../../core/api/access-api.ts";
import { MAX_EXPIRY_S } from "../../core/api/worker-api.ts";
import { inLargestUnit, parseDuration } from "../../core/session/duration.ts";
import type { SessionAccess } from "../../core/session/session-document.ts";
import type { Manager, Selector } from "../../manager/manager.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import { type SessionView, selectedSession } from "../../manager/model/snapshot.ts";
import { findConfig, newManager, selectSession } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { coloured, print, printJson, printNote, printResult } from "../print/output.ts";
import { printQrCode } from "../print/qr-code.ts";
import { spin } from "../print/spinner.ts";
import { table } from "../print/table.ts";

interface Options {
  session?: string;
  config?: string;
  json?: boolean;
}

interface ShareOptions extends Options {
  private?: boolean;
  public?: boolean;
  expires?: string;
  for?: string;
  uses?: string;
  token?: boolean;
  mayRoute?: boolean;
  targets?: string;
}

export async function share(options: ShareOptions): Promise<void> {
  if (options.private && options.public) throw new UsageError("Use either --private or --public, not both.");
  if (options.targets !== undefined) return shareTargets(options.targets, options);
  const request = inviteRequest(options);
  const asksForInvite = Object.keys(request).length > 0;
  if (options.public && asksForInvite)
    throw new UsageError("A public session needs no invite: everyone who knows its URL can open it.");
  const { manager, selector, configPath } = await selected(options);
  const session = await accessSet(manager, selector, options);
  // Routing needs a right of its own.
  if (session && session.access !== "private" && !options.mayRoute) {
    if (asksForInvite) throw needless(session);
    sharePublic(session, options);
    return;
  }
  const invite = await spin("Inviting", manager.invite(selector, request, configPath));
  if (options.json) {
    printJson(invite);
    return;
  }
  const { url, token, expires, uses, id } = invite;
  const until = `${inTime(expires)}${uses === null ? "" : `, for ${uses === 1 ? "one use" : `${uses} uses`}`}`;
  print(`${url ?? token ?? ""}\n`);
  if (url !== undefined) await printQrCode(url);
  const what =
    url === undefined ? "It is the value of the header linkup-access" : "Everyone who opens it is let in";
  printNote(`${what}, ${until}. It is shown only now. To revoke it: linkup share revoke ${id}\n`);
}

export async function list(options: Options): Promise<void> {
  const { manager, selector, configPath } = await selected(options);
  const invites = await spin("Looking", manager.invites(selector, configPath));
  if (options.json) {
    printJson({ invites });
    return;
  }
  print(
    invites.length > 0
      ? table(["ID", "FOR", "KIND", "MAY", "EXPIRES", "USED", "LAST USED"], invites.map(inviteRow))
      : "The session has no invite.\n",
  );
}

export async function revoke(id: string, options: Options): Promise<void> {
  const { manager, selector, configPath } = await selected(options);
  await spin("Revoking", manager.revokeInvite(selector, id, configPath));
  if (options.json) printJson({ revoked: id });
  else print(`Revoked ${id}: everyone who used it loses access.\n`);
}

async function selected(options: Options) {
  const manager = newManager({ keep: false });
  const selector = await selectSession(manager, options);
  return { manager, selector, configPath: findConfig(options.config) };
}

/** The session after `--private` or `--public`; undefined for one that this machine does not run. */
async function accessSet(
  manager: Manager,
  selector: Selector,
  options: ShareOptions,
): Promise<SessionView | undefined> {
  const access = accessOption(options);
  if (access !== undefined) return await spin("Changing the access", manager.setAccess(selector, access));
  return selectedSession(await manager.look(), selector);
}

/** Of `--private` and `--public`. */
export function accessOption(options: { private?: boolean; public?: boolean }): SessionAccess | undefined {
  if (options.private) return "private";
  return options.public ? "public" : undefined;
}

/** Throws a UsageError. */
function inviteRequest({ expires, for: name, uses, token, mayRoute }: ShareOptions): InviteRequest {
  const seconds = expires === undefined ? undefined : parseDuration(expires);
  if (expires !== undefined && (seconds === undefined || seconds > MAX_EXPIRY_S))
    throw new UsageError(`--expires takes a time such as 12h, 2d or 2w, of at most 366d, not "${expires}".`);
  const count = uses === undefined ? undefined : Number(uses);
  if (count !== undefined && !(Number.isInteger(count) && count > 0))
    throw new UsageError(`--uses takes a whole number above 0, not "${uses}".`);
  if (count !== undefined && token) throw new UsageError("--uses is for links, not for tokens.");
  if (name !== undefined && (name.length === 0 || name.length > MAX_INVITE_NAME))
    throw new UsageError(`--for takes a name of 1 to ${MAX_INVITE_NAME} characters.`);
  return {
    ...(seconds === undefined ? {} : { expires_in: seconds }),
    ...(name === undefined ? {} : { name }),
    ...(count === undefined ? {} : { uses: count }),
    ...(token || mayRoute ? { kind: "token" as const } : {}),
    ...(mayRoute ? { rights: ["visit" as const, "route" as const] } : {}),
  };
}

/** There is no secret: the URL is all that is needed. */
function sharePublic({ name, access, urls }: SessionView, { json }: Options): void {
  const [url] = urls;
  if (json) {
    printJson({ session_name: name, access, url: url ?? null });
    return;
  }
  print(`${url ?? "The session has no URL yet."}\n`);
  if (url !== undefined) void printQrCode(url);
  printNote(
    "Everyone who knows this URL can open the session. To invite single people instead: linkup share --private\n",
  );
}

function needless({ name }: SessionView): LinkupError {
  return new LinkupError(
    "share-failed",
    `The session ${name ?? ""} is public: everyone who knows its URL can open it, with an invite or without. Make it private with --private.`,
    [
      {
        command: "makePrivate",
        title: "Make Session Private",
        terminal: "linkup share --private",
      },
    ],
  );
}

function inviteRow({ id, name, kind, rights, expires, uses, used, last_used }: Invite): string[] {
  return [
    id,
    name ?? "",
    kind,
    rights.join(", "),
    inTime(expires),
    uses === null ? String(used) : `${used} of ${uses}`,
    last_used === null ? coloured("dim", "never") : `${span(Date.now() - last_used)} ago`,
  ];
}

function inTime(time: number): string {
  return `for ${span(time - Date.now())}`;
}

function span(ms: number): string {
  const { count, unit } = inLargestUnit(ms);
  return `${count} ${unit}`;
}

/** Lets other sessions route to this one's services, or not. */
async function shareTargets(choice: string, options: ShareOptions): Promise<void> {
  if (choice !== "on" && choice !== "off") throw new UsageError(`--targets is on or off, not "${choice}".`);
  const { manager, selector } = await selected(options);
  const session = await spin("Sharing", manager.shareTargets(selector, choice === "on"));
  const name = session.name ?? "";
  printResult(options.json, session, () =>
    choice === "on"
      ? `Other sessions can route to the services of ${name} now: linkup route session:${name} SERVICE\n`
      : `Other sessions cannot route to the services of ${name} any more.\n`,
  );
}
