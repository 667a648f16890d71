/** What is known of one request, beside the list. */
import { html, nothing, type TemplateResult } from "lit";
import type { CapturedBody } from "../../../core/api/request-log-api.ts";
import type { HeaderLine } from "../../../core/exchange/header-changes.ts";
import type { RowAction, ShownDetails, Words } from "../protocol.ts";
import { duration, fill, pretty } from "./format.ts";

/** In the details as buttons, in the menu of a row as items. */
export const ACTIONS: RowAction[] = [
  "replay",
  "edit",
  "compare",
  "copyCurl",
  "copyUrl",
  "openInBrowser",
  "goToConfig",
  "saveHar",
];
export const BUTTONS: RowAction[] = ["replay", "edit", "compare", "copyCurl"];

/** The Worker's hop cannot tell which side aborted. */
function abortText({ by, reason }: NonNullable<ShownDetails["broken"]>, words: Words): string {
  if (by === null) return words.brokenAtWorker;
  return fill(by === "client" ? words.brokenByClient : words.brokenByService, reason);
}

export function detailsView(
  details: ShownDetails,
  words: Words,
  buttons: readonly RowAction[],
  run: (action: RowAction) => void,
  trace: TemplateResult | typeof nothing,
): TemplateResult {
  const { method, secure, client_host, target, status, websocket, broken, sender, session } = details;
  return html`
    <h2>${status ?? "…"} ${method} ${secure ? "https" : "http"}://${client_host}${target}</h2>
    <div class="actions">
      ${buttons.map((action) => html`<vscode-button secondary @click=${() => run(action)}>${words[action]}</vscode-button>`)}
    </div>
    ${broken ? html`<p class="server-error">${abortText(broken, words)}</p>` : nothing}
    ${session === null && sender ? html`<p>${details.lost_from ? `${words.lost} (${details.lost_from}). ` : ""}${fill(words.likelySender, sender)}</p>` : nothing}
    ${details.replay_of === null ? nothing : html`<p>${fill(words.replayOf, details.replay_of)}</p>`}
    ${
      details.routing.length === 0
        ? nothing
        : html`<h3>${words.routing}</h3>
    <ul>
      ${details.routing.map((line) => html`<li>${line}</li>`)}
    </ul>`
    }
    <h3>${words.timing}</h3>
    ${timingView(details, words)}
    ${trace}
    ${websocket ? html`<p>${fill(words.frames, websocket.client_frames, websocket.service_frames)}</p>` : nothing}
    ${details.events === null ? nothing : html`<p>${fill(words.events, details.events)}</p>`}
    <h3>${words.requestHeaders}</h3>
    ${headersView(details.request, words)}
    ${bodyView(words.requestBody, details.request_body, details.request_headers, words)}
    ${details.response.length > 0 ? html`<h3>${words.responseHeaders}</h3>${headersView(details.response, words)}` : nothing}
    ${bodyView(words.responseBody, details.response_body, details.response_headers ?? [], words)}
    ${details.request_body === null && details.response_body === null ? html`<p class="dim">${words.bodyNotKept}</p>` : nothing}
  `;
}

/** A bar for each part, on one scale: that of the first hop where there are two. */
function timingView({ timings, edge, listener, time }: ShownDetails, words: Words): TemplateResult {
  const { queue, connect, first_byte, total } = timings;
  const isJoined = edge !== null && listener !== "edge";
  // Before it came here, or until it came to the Worker.
  const before = isJoined && !edge.after ? Math.max(0, time - edge.time) : 0;
  const onWay = isJoined && edge.after ? Math.max(0, edge.time - time) : 0;
  const end = Math.max(before + (total ?? first_byte ?? 0), edge?.total ?? edge?.first_byte ?? 0);
  const waited = queue + (connect ?? 0);
  const parts: [string, number, number][] = [
    ...(isJoined && !edge.after ? [[words.workerHop, 0, edge.first_byte] as [string, number, number]] : []),
    ...(queue > 0 ? [[words.queue, before, queue] as [string, number, number]] : []),
    ...(connect === null ? [] : [[words.connect, before + queue, connect] as [string, number, number]]),
    ...(first_byte === null
      ? []
      : [[words.firstByte, before + waited, Math.max(0, first_byte - waited)] as [string, number, number]]),
    ...(isJoined && edge.after
      ? [[words.workerAfter, onWay, edge.total ?? edge.first_byte] as [string, number, number]]
      : []),
    ...(first_byte === null || total === null || (listener === "edge" && edge?.total === null)
      ? []
      : [[words.receive, before + first_byte, total - first_byte] as [string, number, number]]),
  ];
  const percent = (ms: number) => `${Math.min(100, (100 * ms) / Math.max(end, 0.1)).toFixed(2)}%`;
  return html`<div class="hops">
    ${parts.map(
      ([name, start, ms]) =>
        html`<span>${name}</span><span class="track"><i .style=${`left:${percent(start)};width:${percent(ms)}`}></i></span><span class="number">${duration(ms)}</span>`,
    )}
    <span>${words.total}</span><span></span><span class="number">${total === null ? words.open : duration(end)}</span>
  </div>`;
}

function headersView(lines: readonly HeaderLine[], words: Words): TemplateResult {
  return html`<div class="headers">
    ${lines.map(({ name, value, change, before }) => {
      const mark = change === "same" ? nothing : html` <span class="mark ${change}">${words[change]}</span>`;
      const was =
        before === undefined ? nothing : html` <span class="dim">${fill(words.before, before)}</span>`;
      const shown = change === "removed" ? html`<span class="removed-value">${value}</span>` : value;
      return html`<span>${name}</span><span>${shown}${mark}${was}</span>`;
    })}
  </div>`;
}

function bodyView(
  title: string,
  body: CapturedBody | null,
  headers: readonly [string, string][],
  words: Words,
): TemplateResult | typeof nothing {
  if (!body) return nothing;
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1]?.split(";")[0] ?? "";
  const isImage = /^image\/(?:png|jpeg|gif|webp|avif)$/.test(type) && body.base64 !== undefined && !body.cut;
  return html`<h3>${title}</h3>
    ${
      isImage
        ? html`<img alt=${title} src="data:${type};base64,${body.base64}" />`
        : html`<pre tabindex="0">${body.text === undefined ? body.base64 : pretty(body.text)}</pre>`
    }
    ${body.cut ? html`<p class="dim">${words.truncatedBody}</p>` : nothing}`;
}
