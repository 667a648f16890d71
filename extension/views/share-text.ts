/** The page of Share Session, as Markdown: a pure function of the session and its invites. */
import type { Invite } from "../../core/api/access-api.ts";
import { inLargestUnit } from "../../core/session/duration.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { code, escaped, link, table } from "../markdown.ts";
import { t } from "../words.ts";

/** Internal command of the buttons. */
export const REVOKE_INVITE = "linkup.revokeInvite";

export function shareText(
  { name = "", urls }: SessionView,
  access: SessionView["access"],
  invites: readonly Invite[],
): string {
  const state =
    access === "private"
      ? t("The session is private: only those whom you invite can open it.")
      : t("The session is public: everyone who knows its URL can open it.");
  return [
    `# ${t("Share Session {0}", escaped(name))}`,
    state,
    urls.map((url) => `- ${link(url)}`).join("\n"),
    ...(access === "private" || invites.length > 0 ? [`## ${t("Invites")}`, invitesText(name, invites)] : []),
    "",
  ].join("\n\n");
}

function invitesText(session: string, invites: readonly Invite[]): string {
  if (invites.length === 0) return t("Nobody is invited.");
  const now = Date.now();
  const head = [t("For"), t("Allowed to"), t("Expires"), t("Used"), t("Revoke")];
  const rows = invites.map((invite) => {
    const { id, name, expires, uses, used, last_used } = invite;
    const times = uses === null ? String(used) : t("{0} of {1}", used, uses);
    const last = last_used === null ? "" : `, ${t("{0} ago", span(now - last_used))}`;
    const args = encodeURIComponent(JSON.stringify([session, id]));
    return [
      name === null ? code(id) : escaped(name),
      mayText(invite),
      t("in {0}", span(expires - now)),
      times + last,
      `[${escaped(t("Revoke {0}", name ?? id))}](command:${REVOKE_INVITE}?${args})`,
    ];
  });
  return table(head, rows);
}

function mayText({ kind, rights }: Invite): string {
  const words = {
    visit: kind === "token" ? t("visit by a program") : t("visit"),
    route: t("route services"),
  };
  return rights.map((right) => words[right]).join(", ");
}

function span(ms: number): string {
  const { count, unit } = inLargestUnit(ms);
  return { min: t("{0} min", count), h: t("{0} h", count), d: t("{0} d", count) }[unit];
}
