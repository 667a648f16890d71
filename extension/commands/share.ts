/** Share Session…: who can open a session, and invites to a private one. */
import * as vscode from "vscode";
import {
  type InviteRequest,
  type InviteRight,
  MAX_INVITE_NAME,
  type NewInvite,
} from "../../core/api/access-api.ts";
import { assertPublished } from "../../manager/model/published.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import type { Linkup } from "../linkup.ts";
import { report } from "../report-problem.ts";
import { setting } from "../settings.ts";
import { askInSteps, askOne, askText } from "../steps.ts";
import type { Row } from "../views/rows.ts";
import { REVOKE_INVITE, shareText } from "../views/share-text.ts";
import { waitFor, waitForAnswer, waitUntilDone } from "../waiting.ts";
import { t } from "../words.ts";
import { chooseSession, selectorOf } from "./choose.ts";
import type { Documents } from "./markdown-pages.ts";
import { requireTrust } from "./start-stop.ts";

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

/** The command of the buttons in the document; its arguments are a session's name and an invite's id. */
export function registerShare(
  { subscriptions }: vscode.ExtensionContext,
  linkup: Linkup,
  documents: Documents,
): void {
  const revoke = async (name: unknown, id: unknown) => {
    try {
      if (typeof name === "string" && typeof id === "string") await revokeInvite(linkup, documents, name, id);
    } catch (error) {
      void report(error, linkup);
    }
  };
  subscriptions.push(vscode.commands.registerCommand(REVOKE_INVITE, revoke));
}

/** Make Session Private, Make Session Public. */
export async function makeAccess(linkup: Linkup, access: "private" | "public", row?: Row): Promise<void> {
  const session = await chooseShared(linkup, row);
  if (session) await changeAccess(linkup, session, access);
}

export async function shareSession(linkup: Linkup, documents: Documents, row?: Row): Promise<void> {
  const session = await chooseShared(linkup, row);
  if (!session) return;
  const asked = await askHow(session);
  if (!asked) return;
  if (asked.how === "list") return await showInvites(linkup, documents, session);
  // Who may route may do it in a public session, too.
  if (
    asked.how !== "route" &&
    session.access !== asked.how &&
    !(await changeAccess(linkup, session, asked.how))
  )
    return;
  const { request } = asked;
  if (!request) return await sharePublic(documents, session);
  const manager = await linkup.manager;
  const invite = await waitUntilDone(t("Creating the invite"), () =>
    manager.invite(selectorOf(session), request),
  );
  if (invite.url !== undefined) await copied(invite.url);
  await showInvites(linkup, documents, session, invite);
}

/** Undefined when the user chose none, or nothing is trusted. Rejects with a LinkupError for an isolated session. */
async function chooseShared(linkup: Linkup, row: Row | undefined): Promise<SessionView | undefined> {
  const session = await chooseSession(linkup, row);
  if (!session || !(await requireTrust())) return undefined;
  assertPublished({ kind: session.kind, name: session.name ?? null });
  return session;
}

/** False when the user cancelled. Asks before everyone is let in. */
async function changeAccess(
  { manager }: Linkup,
  session: SessionView,
  access: "private" | "public",
): Promise<boolean> {
  const name = session.name ?? "";
  if (access === "public" && session.access === "private") {
    const yes = t("Make Public");
    const question = t("Make the session {0} public? Everyone who knows its URL can open it then.", name);
    const detail = session.urls.join("\n");
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes)
      return false;
  }
  const title = access === "private" ? t("Making {0} private", name) : t("Making {0} public", name);
  const timeoutMs = setting("timeouts.toggle") * 1_000;
  const changed = await waitFor(title, async (signal) => {
    await (await manager).setAccess(selectorOf(session), access, signal, timeoutMs);
    return true;
  });
  return changed ?? false;
}

type Asked =
  | { how: "public" | "list"; request?: undefined }
  | { how: "private" | "route"; request: InviteRequest };

/** Each question with a way back. Undefined when the user cancelled. */
async function askHow({ name = "" }: SessionView): Promise<Asked | undefined> {
  const title = t("Share Session {0}", name);
  const ways = [
    {
      label: `$(lock) ${t("Invite somebody")}`,
      description: t("private: only those whom you invite can open it"),
      how: "private" as const,
    },
    {
      label: `$(globe) ${t("Everyone with the URL")}`,
      description: t("public: everyone who knows its URL can open it"),
      how: "public" as const,
    },
    {
      label: `$(organization) ${t("Let a colleague route services")}`,
      description: t("to your machine, and back to the deployed copies"),
      how: "route" as const,
    },
    { label: `$(list-unordered) ${t("Show the invites")}`, description: "", how: "list" as const },
  ];
  let how: (typeof ways)[number]["how"] = "private";
  let expires = 2 * DAY_S;
  let whom = "";
  let uses: number | null = null;
  // A link that may route has no number of uses: the colleague's editor keeps it.
  const stepCounts = { private: 4, route: 3, public: 1, list: 1 };
  const place = (step: number) => ({ title, step, totalSteps: stepCounts[how] });
  const steps = [
    async () => {
      const answer = await askOne({ ...place(1), items: ways, placeholder: t("Who can open it?") });
      if (typeof answer !== "object") return answer;
      how = answer.how;
      return true as const;
    },
    async () => {
      const items = expiries();
      const answer = await askOne({ ...place(2), items, placeholder: t("How long is the link valid?") });
      if (typeof answer !== "object") return answer;
      expires = answer.seconds;
      return true as const;
    },
    async () => {
      const answer = await askText({
        ...place(3),
        prompt:
          how === "route"
            ? t("Name of the recipient; everyone who may route sees it beside their changes")
            : t("Name of the recipient; only you see it (optional)"),
        value: whom,
        validate: (text) =>
          text.length > MAX_INVITE_NAME
            ? t("At most 100 characters.")
            : how === "route" && text.trim() === ""
              ? t("Enter a name.")
              : undefined,
      });
      if (typeof answer !== "string") return answer;
      whom = answer.trim();
      return true as const;
    },
    async () => {
      const items = [
        { label: t("Any number of times"), count: null },
        { label: t("Once"), count: 1 },
        { label: t("{0} times", 5), count: 5 },
      ];
      const answer = await askOne({
        ...place(4),
        items,
        placeholder: t("How often can the link be opened?"),
      });
      if (typeof answer !== "object") return answer;
      uses = answer.count;
      return true as const;
    },
  ];
  const done = await askInSteps((index) => (index < stepCounts[how] ? steps[index] : undefined));
  if (!done) return undefined;
  // The compiler does not see what the steps assign.
  const chosen = how as Asked["how"];
  if (chosen === "public" || chosen === "list") return { how: chosen };
  const rights: InviteRight[] = ["visit", "route"];
  const more = chosen === "route" ? { rights } : { uses };
  return { how: chosen, request: { expires_in: expires, ...more, ...(whom ? { name: whom } : {}) } };
}

/** The default first. */
function expiries() {
  return [
    { label: t("{0} d", 2), seconds: 2 * DAY_S },
    { label: t("{0} h", 1), seconds: HOUR_S },
    { label: t("{0} h", 12), seconds: 12 * HOUR_S },
    { label: t("{0} d", 7), seconds: 7 * DAY_S },
    { label: t("{0} d", 30), seconds: 30 * DAY_S },
  ];
}

async function copied(url: string): Promise<void> {
  await vscode.env.clipboard.writeText(url);
  vscode.window.setStatusBarMessage(t("Copied the link"), 3000);
}

async function sharePublic(documents: Documents, session: SessionView): Promise<void> {
  const [url] = session.urls;
  if (url === undefined) return;
  await copied(url);
  const caption = t("Everyone who knows this URL can open the session. It is in the clipboard.");
  const link = { url, caption, svg: await qrCode(url) };
  await documents.show({ title: titleOf(session), markdown: shareText(session, "public", []), link });
}

/** `invite`: the one that was made just now, whose secret is shown this once. */
async function showInvites(
  linkup: Linkup,
  documents: Documents,
  session: SessionView,
  invite?: NewInvite,
): Promise<void> {
  const manager = await linkup.manager;
  const invites = await waitForAnswer(t("Reading the invites"), () => manager.invites(selectorOf(session)));
  if (!invites) return;
  const { url, rights = [] } = invite ?? {};
  const caption = rights.includes("route")
    ? t(
        "Anyone with this link can open the session and route its services: with Join Session… in VS Code, or with linkup route --invite in a terminal. It is in the clipboard, and is shown only now.",
      )
    : t("Anyone with this link can open the session. It is in the clipboard, and is shown only now.");
  await documents.show({
    title: titleOf(session),
    markdown: shareText(session, invite && !rights.includes("route") ? "private" : session.access, invites),
    ...(url === undefined ? {} : { link: { url, caption, svg: await qrCode(url) } }),
  });
}

async function revokeInvite(linkup: Linkup, documents: Documents, name: string, id: string): Promise<void> {
  const manager = await linkup.manager;
  await waitUntilDone(t("Revoking the invite"), () => manager.revokeInvite({ name }, id));
  const session = linkup.model.snapshot.sessions.find((each) => each.name === name);
  if (session) await showInvites(linkup, documents, session);
}

function titleOf({ name = "" }: SessionView): string {
  return t("Share {0}", name);
}

/** Dark on light with the border that scanners need, whatever the theme. */
async function qrCode(text: string): Promise<string> {
  const { renderSVG } = await import("uqr");
  return renderSVG(text, { border: 4 });
}
