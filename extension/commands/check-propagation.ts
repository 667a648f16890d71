/** Linkup: Check Propagation: who passes the session on, and who loses it, as a document. */
import * as vscode from "vscode";
import { lostSentence, propagationHelp, serviceSentence } from "../../core/exchange/propagation-words.ts";
import type { CheckedPropagation } from "../../manager/operations/check-propagation.ts";
import type { Linkup } from "../linkup.ts";
import { code, escaped } from "../markdown.ts";
import { waitFor } from "../waiting.ts";
import { runningSession } from "../window-model.ts";
import { t, translated } from "../words.ts";
import type { Documents } from "./markdown-pages.ts";

/** `session`: null for the one that runs. */
export async function checkPropagation(
  linkup: Linkup,
  documents: Documents,
  session: string | null,
): Promise<void> {
  const name = session ?? runningSession(linkup.model);
  if (name === undefined) throw new Error(t("No session is running."));
  const ways = [
    { label: t("From the requests of the last minutes"), description: t("sends nothing"), probe: false },
    {
      label: t("By a request through each service"),
      description: t("repeats its latest GET request, or requests a path that is routed to it"),
      probe: true,
    },
  ];
  const way = await vscode.window.showQuickPick(ways, { title: t("Check Propagation") });
  if (!way) return;
  const found = await waitFor(t("Checking who passes the session on"), async (signal) =>
    (await linkup.manager).checkPropagation(way.probe ? { name } : undefined, signal),
  );
  if (!found) return;
  await documents.show({
    title: t("Linkup Propagation"),
    markdown: propagationText(found),
    refresh: "checkPropagation",
    json: JSON.stringify(found, null, 2),
  });
}

/** As Markdown. */
export function propagationText({ services, lost, probed }: CheckedPropagation): string {
  const unanswered = (probed ?? []).filter(({ status }) => status === null);
  return [
    `# ${t("Linkup Propagation")}`,
    services.length + lost.length === 0
      ? t("No requests in the last minutes. Use the session, then check again.")
      : lost.length === 0
        ? t("All recorded requests carried their session.")
        : t("Some requests lost their session: they go to the deployed services, or nowhere."),
    ...lost.map((one) => `## ✗ ${escaped(translated(lostSentence(one)))}\n\n${help(one.sender)}`),
    services.length === 0 ? "" : table(services),
    ...unanswered.map(({ service, request }) =>
      request === null
        ? t("{0} was not checked: no domain or route leads to it.", escaped(service))
        : t("{0} did not answer {1}.", escaped(service), code(request)),
    ),
    "",
  ]
    .filter((part, index, all) => part !== "" || index === all.length - 1)
    .join("\n\n");
}

/** Backticks in these texts are code. */
function help(sender: string): string {
  return translated(propagationHelp(sender));
}

function table(services: CheckedPropagation["services"]): string {
  return services
    .map((service) => `- ${service.lost > 0 ? "✗" : "✓"} ${escaped(translated(serviceSentence(service)))}`)
    .join("\n");
}
