/** Show Status and Explain Request: readable documents. */

import { reportedSnapshot } from "../../manager/model/snapshot.ts";
import { placeWord } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import { askInSteps, askText } from "../steps.ts";
import { explanationMarkdown } from "../views/explanation-markdown.ts";
import type { Row } from "../views/rows.ts";
import { statusText } from "../views/status-text.ts";
import { waitForAnswer } from "../waiting.ts";
import { hostOf } from "../window-model.ts";
import { t } from "../words.ts";
import { chooseSession, selectorOf } from "./choose.ts";
import type { Documents } from "./markdown-pages.ts";

export async function showStatus(linkup: Linkup, documents: Documents): Promise<void> {
  await linkup.configs.ready();
  const seen = await waitForAnswer(t("Checking the services' health"), async () =>
    (await linkup.manager).refresh(),
  );
  if (!seen) return;
  const { model } = linkup;
  await documents.show({
    title: t("Linkup Status"),
    markdown: statusText(model),
    refresh: "showStatus",
    json: JSON.stringify(reportedSnapshot(model.snapshot), null, 2),
  });
}

export async function explainRequest(linkup: Linkup, documents: Documents, row?: Row): Promise<void> {
  const session = await chooseSession(linkup, row);
  if (!session) return;
  const base = session.urls[0] ?? "";
  let url = row?.subject.is === "url" ? row.subject.url : base;
  let lines = "";
  const title = t("Explain Request");
  const done = await askInSteps(
    (index) =>
      [
        async () => {
          const answer = await askText({
            title,
            step: 1,
            totalSteps: 2,
            prompt: t("The URL of the request, or its path: {0} is then its host", hostOf(base)),
            value: url,
            placeholder: "/api/users",
            validate: (text) =>
              requestUrl(text, base) === undefined ? t("This is neither a URL nor a path.") : undefined,
          });
          if (typeof answer !== "string") return answer;
          url = answer;
          return true as const;
        },
        async () => {
          const answer = await askText({
            title,
            step: 2,
            totalSteps: 2,
            prompt: t("Headers, separated by semicolons (optional)"),
            value: lines,
            placeholder: "Referer: https://slim-gecko.example.com/; Origin: https://slim-gecko.example.com",
            validate: (text) => (parseHeaders(text) ? undefined : t("Enter each header as name: value.")),
          });
          if (typeof answer !== "string") return answer;
          lines = answer;
          return true as const;
        },
      ][index],
  );
  if (!done) return;
  const asked = requestUrl(url, base)!;
  const headers = parseHeaders(lines)!;
  const explanation = await waitForAnswer(t("Finding where the request goes"), async () =>
    (await linkup.manager).explain(selectorOf(session), asked, headers),
  );
  if (!explanation) return;
  const { decision } = explanation;
  const service = decision?.outcome === "routed" ? decision.service.name : undefined;
  const routed = linkup.model.snapshot.sessions
    .find(({ name }) => name === explanation.session)
    ?.services.find(({ name }) => name === service);
  await documents.show({
    title: t("Linkup Explanation"),
    markdown: explanationMarkdown(asked, headers, explanation, routed && placeWord(routed)),
  });
}

/** The URL of a request that was entered as one, or as a path of the session's first domain. Undefined when it is neither. */
export function requestUrl(text: string, base: string): string | undefined {
  if (text.startsWith("/") && URL.canParse(text, base)) return new URL(text, base).href;
  return /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}

/** `Referer: https://a/; Origin: https://b`; undefined when a part is not a header. */
export function parseHeaders(text: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const part of text.split(";").map((part) => part.trim())) {
    if (!part) continue;
    const match = /^([!#$%&'*+.^_`|~0-9a-z-]+)\s*:\s*(.*)$/i.exec(part);
    if (!match) return undefined;
    headers[match[1]!.toLowerCase()] = match[2]!;
  }
  return headers;
}
