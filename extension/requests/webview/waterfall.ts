/** The trace of a request: each hop of Linkup as a bar on one scale, below the one that it was called from. */
import { html, nothing, type TemplateResult } from "lit";
import type { Exchange } from "../../../core/api/request-log-api.ts";
import { type TraceGap, traceOf } from "../../../core/exchange/trace.ts";
import type { Words } from "../protocol.ts";
import { duration, fill } from "./format.ts";

/** A trace may be as long as the log. */
const MAX_ROWS = 100;

/** `rows`: all of the trace. `choose` shows another of them. */
export function waterfallView(
  rows: readonly Exchange[],
  selected: number,
  words: Words,
  choose: (id: number) => void,
): TemplateResult {
  const { start, end, spans, unseen } = traceOf(rows.slice(-MAX_ROWS));
  const whole = Math.max(end - start, 0.1);
  const percent = (ms: number) => `${Math.min(100, Math.max(0, (100 * ms) / whole)).toFixed(2)}%`;
  const place = (from: number, ms: number) => `left:${percent(from - start)};width:${percent(ms)}`;
  return html`<div class="waterfall">
    ${spans.map(({ exchange, hop, depth, start: from, end: to, gaps }) => {
      const { id, service, method, target, client_host } = exchange;
      const lost = exchange.session === null;
      const gapText = gaps.map((gap) => `${gapName(gap, exchange, words)} ${duration(gap.ms)}`).join(" · ");
      const where = hop === "worker" ? words.traceWorker : words.traceHere;
      return html`<button class="span" aria-current=${id === selected} .style=${`--depth:${Math.min(depth, 8)}`}
          title="${method} ${client_host}${target}" @click=${() => choose(id)}>
        <span class="name"><b class=${lost ? "client-error" : ""}>${lost ? words.lost : service}</b> <span class="dim">${where}</span> ${method} ${target}</span>
        <span class="track"><i .style=${place(from, to - from)}></i>${gaps.map((gap) => html`<u class=${gap.is} .style=${place(gap.start, gap.ms)}></u>`)}</span>
        <span class="number">${exchange.state === "open" ? words.open : duration(to - from)}</span>
        <span class="gaps dim">${gapText}</span>
      </button>`;
    })}
    ${unseen.length === 0 ? nothing : html`<p class="dim">${unseen.map((gap) => `${words.gapUnseen} ${duration(gap.ms)}`).join(" · ")}</p>`}
    ${rows.length > MAX_ROWS ? html`<p class="dim">${fill(words.traceCut, MAX_ROWS)}</p>` : nothing}
  </div>`;
}

function gapName({ is }: TraceGap, { service }: Exchange, words: Words): string {
  switch (is) {
    case "tunnel":
      return words.gapTunnel;
    case "way":
      return words.gapWay;
    case "queue":
      return words.gapQueue;
    case "connect":
      return words.gapConnect;
    case "service":
      return fill(words.gapService, service ?? words.public);
    case "unseen":
      return words.gapUnseen;
  }
}
