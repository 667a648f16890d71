/** Join Session…, Leave Session, and routing in a joined session: with the owner's consent, by an invite. */
import * as vscode from "vscode";
import { parseInvite } from "../../core/access/invite-text.ts";
import { isSessionName } from "../../core/session/session-name.ts";
import type { Linkup } from "../linkup.ts";
import { readConfigFile } from "../read-config-file.ts";
import { askInSteps, askText } from "../steps.ts";
import type { Row } from "../views/rows.ts";
import { waitFor, waitUntilDone } from "../waiting.ts";
import { hostOf, type JoinedSession } from "../window-model.ts";
import { t } from "../words.ts";
import { chooseConfig } from "./choose.ts";
import { requireTrust } from "./start-stop.ts";

/** Tells the user of an invite that has ended. */
export async function showInviteEnd(linkup: Linkup, joined: JoinedSession): Promise<void> {
  const leave = t("Leave Session");
  const message = t(
    "You can no longer route the session {0}: the invite was revoked or has expired.",
    joined.session,
  );
  if ((await vscode.window.showWarningMessage(message, leave)) === leave) await linkup.joined.leave(joined);
}

/** `named`: the session that a link has named. */
export async function joinSession(linkup: Linkup, named = ""): Promise<void> {
  if (!(await requireTrust())) return;
  const file = await chooseConfig(linkup, undefined);
  if (!file) return;
  let invite = "";
  let session = named;
  const given = () => parseInvite(invite);
  // A link says which session it is about.
  const isWhole = () => given()?.session !== undefined;
  const place = (step: number) => ({ title: t("Join Session"), step, totalSteps: isWhole() ? 1 : 2 });
  const steps = [
    async () => {
      const answer = await askText({
        ...place(1),
        prompt: t(
          "The invite that your colleague gave you: a link, or a token. It is kept in VS Code's secret storage.",
        ),
        placeholder: "https://slim-gecko.example.com/linkup/join#…",
        isSecret: true,
        validate: (text) =>
          parseInvite(text) ? undefined : t("This is neither the link nor the token of an invite."),
      });
      if (typeof answer !== "string") return answer;
      invite = answer;
      return true as const;
    },
    async () => {
      const answer = await askText({
        ...place(2),
        prompt: t("The name of the session"),
        value: session,
        placeholder: "slim-gecko",
        validate: (text) =>
          isSessionName(text) ? undefined : t("Enter a session's name, such as bold-cat."),
      });
      if (typeof answer !== "string") return answer;
      session = answer;
      return true as const;
    },
  ];
  const done = await askInSteps((index) => (index === 1 && isWhole() ? undefined : steps[index]));
  const { token, session: name = session, domain } = given() ?? {};
  if (!done || token === undefined) return;
  const { linkup: worker, domains } = await readConfigFile(file.path);
  const workerUrl = worker.worker_url;
  if (domain !== undefined && !domains.some((own) => own.domain.toLowerCase() === domain)) {
    const message = t(
      "The invite is for {0}, which is not a domain in {1}. Open the folder of the system that has it.",
      domain,
      file.path,
    );
    return void (await vscode.window.showErrorMessage(message));
  }
  // A cloned linkup.yaml names any Worker it likes.
  const join = t("Join");
  const question = t("Join the session {0}?", name);
  const detail = t(
    "The invite is sent to the Worker at {0}, and lets you route the session's services. Your colleague sees that it was you.",
    hostOf(workerUrl),
  );
  if ((await vscode.window.showInformationMessage(question, { modal: true, detail }, join)) !== join) return;
  await waitUntilDone(t("Joining the session"), () =>
    linkup.joined.join({ workerUrl, session: name, invite: token }),
  );
}

export async function leaveSession(linkup: Linkup, row?: Row): Promise<void> {
  const joined = await chooseJoined(linkup, row);
  if (!joined) return;
  const leave = t("Leave");
  const question = t("Leave the session {0}?", joined.session);
  const detail = t(
    "Linkup deletes its copy of the invite. To join again, you need the invite or another one.",
  );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, leave)) === leave)
    await linkup.joined.leave(joined);
}

async function chooseJoined(linkup: Linkup, row: Row | undefined): Promise<JoinedSession | undefined> {
  if (row?.subject.is === "joined") return row.subject.joined;
  const { views } = linkup.joined;
  if (views.length < 2) return views[0];
  const items = views.map((joined) => ({
    label: joined.session,
    description: hostOf(joined.workerUrl),
    joined,
  }));
  return (await vscode.window.showQuickPick(items, { title: "Linkup", placeHolder: t("Which session?") }))
    ?.joined;
}

/** Asks before: a colleague works with these services, maybe at this moment. */
export async function routeJoined(
  linkup: Linkup,
  joined: JoinedSession,
  services: readonly string[],
  target: "local" | "remote",
): Promise<void> {
  const what = services.join(", ");
  const yes = t("Route");
  const question =
    target === "local"
      ? t("Route {0} of your colleague's session {1} to the owner's machine?", what, joined.session)
      : t("Route {0} of your colleague's session {1} to the deployed copy?", what, joined.session);
  const detail = t(
    "It takes effect at once for everyone who uses the session, and they see that it was you.",
  );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
  const change = Object.fromEntries(services.map((name) => [name, target]));
  await waitFor(t("Asking the owner's machine"), (signal) => linkup.joined.route(joined, change, signal));
}
