/** The page of the Requests view. */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import "@vscode-elements/elements/dist/vscode-context-menu/index.js";
import "@vscode-elements/elements/dist/vscode-textfield/index.js";
import { html, LitElement, nothing, type TemplateResult } from "lit";
import type { EdgeState, Exchange } from "../../../core/api/request-log-api.ts";
import {
  type FeedStatus,
  FILE_ACTIONS,
  type FromPage,
  MAX_ROWS,
  type RowAction,
  type ShownDetails,
  type ToPage,
  type Words,
} from "../protocol.ts";
import { ACTIONS, BUTTONS, detailsView } from "./details.ts";
import { clock, duration, fill, size } from "./format.ts";
import { RowStore, timeOf } from "./row-store.ts";
import { style } from "./style.ts";
import { waterfallView } from "./waterfall.ts";

/** What is kept over a reload: nothing that came in a request. */
interface Kept {
  filter: string;
  paused: boolean;
}

declare function acquireVsCodeApi(): {
  postMessage(message: FromPage): void;
  getState(): Kept | undefined;
  setState(state: Kept): void;
};

const vscode = acquireVsCodeApi();
const ROW_HEIGHT = 22;
/** Rows above and below what is seen. */
const MARGIN = 8;
/** The bar of the longest duration that is told apart. */
const FULL_BAR_MS = 2_000;
/** Of a selection the newest are compared: each is sent twice. */
const MAX_COMPARED = 100;
/** Details of a request in flight are asked for again at most so often. */
const REFRESH_MS = 500;

type MenuChoice = RowAction | "filterService" | "filterOverride" | "filterPath" | "filterTrace";

class RequestsPage extends LitElement {
  static override styles = style;

  readonly #store = new RowStore(MAX_ROWS);
  #words: Words | undefined;
  #status: FeedStatus | undefined;
  #filter: string;
  #selected: number | undefined;
  /** Where a selection of several rows began; it ends at the selected one. */
  #anchor: number | undefined;
  #details: ShownDetails | undefined;
  #gone = false;
  #menu: { x: number; y: number } | undefined;
  /** The newest row stays in sight until the user scrolls up. */
  #followsEnd = true;
  #scrollTop = 0;
  #height = 400;
  #refresh: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    const kept = vscode.getState();
    this.#filter = kept?.filter ?? "";
    this.#store.filter(this.#filter);
    if (kept?.paused) this.#store.pause(true);
    window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => this.#receive(data));
    window.addEventListener("click", () => this.#closeMenu());
    window.addEventListener("blur", () => this.#closeMenu());
    new ResizeObserver(() => this.requestUpdate()).observe(this);
    vscode.postMessage({ type: "ready" });
  }

  #receive(message: ToPage): void {
    switch (message.type) {
      case "rows":
        this.#words = message.words;
        // What was shown before a pause is shown again.
        if (this.#store.paused) {
          this.#store.pause(false);
          this.#store.reset(message.rows);
          this.#store.pause(true);
        } else this.#store.reset(message.rows);
        if (this.#selected !== undefined && !this.#store.get(this.#selected)) this.#select(undefined);
        break;
      case "changed":
        this.#store.change(message.rows);
        if (message.rows.some(({ id }) => id === this.#selected)) this.#refreshDetails();
        break;
      case "status":
        // Ids of a file are not those of the log.
        if (message.status.file !== (this.#status?.file ?? null)) {
          this.#select(undefined);
          this.#followsEnd = true;
        }
        this.#status = message.status;
        break;
      case "details":
        if (message.details.id !== this.#selected) break;
        this.#details = message.details;
        // Frames, events and bytes are counted while it lasts.
        if (message.details.state === "open") this.#refreshDetails();
        break;
      case "gone":
        if (message.id === this.#selected) this.#gone = true;
        break;
    }
    this.requestUpdate();
  }

  override render(): TemplateResult | typeof nothing {
    const words = this.#words;
    if (!words) return nothing;
    const rows = this.#store.shown;
    return html`
      ${this.#bar(words, rows.length)}
      ${this.#notes(words).map(([text, warns]) => html`<div class="note ${warns ? "warn" : ""}" role="status">${text}</div>`)}
      <div class="main">
        <div class="list">${rows.length === 0 ? this.#emptyWords(words) : this.#grid(words, rows)}</div>
        ${
          this.#selected === undefined
            ? nothing
            : html`<section class="details" tabindex="0" aria-label=${words.details}>
          ${this.#details ? detailsView(this.#details, words, this.#actions(BUTTONS), (action) => this.#run(action), this.#traceView(this.#details, words)) : html`<p class="words">${this.#gone ? words.noLonger : "…"}</p>`}
        </section>`
        }
      </div>
      ${this.#menu ? this.#menuView(words) : nothing}
    `;
  }

  #bar(words: Words, shown: number): TemplateResult {
    const { paused } = this.#store;
    const bodies = this.#status?.bodies ?? false;
    return html`<div class="bar" role="toolbar" aria-label=${words.requests}>
      <vscode-textfield .value=${this.#filter} placeholder=${words.filter} label=${words.filterHelp}
        @input=${(event: Event) => this.#setFilter((event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === "ArrowDown" || event.key === "Enter") this.#focusRows();
          if (event.key === "Escape") this.#setFilter("");
        }}></vscode-textfield>
      <span class="count">${fill(words.count, shown, this.#store.total)}</span>
      <vscode-button secondary aria-pressed=${paused} @click=${() => this.#pause(!paused)}>${paused ? words.resume : words.pause}</vscode-button>
      ${
        this.#status?.file
          ? html`<vscode-button @click=${() => vscode.postMessage({ type: "live" })}>${words.live}</vscode-button>`
          : this.#liveButtons(words, bodies)
      }
    </div>`;
  }

  #liveButtons(words: Words, bodies: boolean): TemplateResult {
    return html`<vscode-button secondary @click=${() => vscode.postMessage({ type: "clear" })}>${words.clear}</vscode-button>
      <vscode-button ?secondary=${!bodies} aria-pressed=${bodies} title=${words.keepingBodies}
        @click=${() => vscode.postMessage({ type: "bodies", keep: !bodies })}>${bodies ? "● " : ""}${words.keepBodies}</vscode-button>
      <vscode-button secondary @click=${() =>
        this.#run(
          "saveHar",
          this.#store.shown.map(({ id }) => id),
        )}>${words.saveAll}</vscode-button>`;
  }

  /** What the user has to know of the list, and whether something is wrong. */
  #notes(words: Words): [string, boolean][] {
    const notes: [string, boolean][] = [];
    const status = this.#status;
    const unknown = this.#store.unknownWords;
    if (unknown.length > 0) notes.push([fill(words.unknownWord, unknown.join(" ")), true]);
    if (this.#store.paused) notes.push([fill(words.paused, this.#store.newer), true]);
    if (!status) return notes;
    if (status.file !== null) {
      notes.push([fill(words.file, status.file), true]);
      return notes;
    }
    if (status.bodies) notes.push([words.keepingBodies, false]);
    if (!status.connected && this.#store.total > 0) notes.push([words.disconnected, true]);
    const texts: Record<EdgeState, [string, boolean] | undefined> = {
      connecting: [words.connecting, false],
      watching: undefined,
      disconnected: [words.workerDisconnected, true],
      gone: [words.workerGone, true],
      unsupported: [words.unsupported, true],
    };
    for (const { session, state } of status.watched) {
      const text = texts[state];
      if (text) notes.push([fill(text[0], session), text[1]]);
    }
    if (status.truncated) notes.push([fill(words.truncated, MAX_ROWS), false]);
    if (status.dropped > 0) notes.push([fill(words.dropped, status.dropped), true]);
    if (status.missed > 0) notes.push([fill(words.missed, status.missed), true]);
    return notes;
  }

  #emptyWords(words: Words): TemplateResult {
    if (this.#store.total > 0) return html`<p class="words">${words.noMatch}</p>`;
    if (this.#status?.connected) return html`<p class="words">${words.empty}</p>`;
    return html`<div class="words"><p>${words.disconnected}</p>
      <vscode-button @click=${() => vscode.postMessage({ type: "start" })}>${words.start}</vscode-button></div>`;
  }

  #grid(words: Words, rows: readonly Exchange[]): TemplateResult {
    const first = Math.max(0, Math.floor(this.#scrollTop / ROW_HEIGHT) - MARGIN);
    const last = Math.min(rows.length, Math.ceil((this.#scrollTop + this.#height) / ROW_HEIGHT) + MARGIN);
    const chosen = new Set(this.#chosen);
    const drawn = rows.slice(first, last);
    // A row that is scrolled away is not in the document.
    const active = drawn.some(({ id }) => id === this.#selected) ? `row-${this.#selected}` : undefined;
    const heads: [string, string][] = [
      [words.time, "medium"],
      [words.method, ""],
      [words.status, ""],
      [words.url, ""],
      [words.service, ""],
      [words.target, "medium"],
      [words.hops, "wide"],
      [words.duration, "number"],
      [words.size, "wide number"],
      [words.foundBy, "wide"],
    ];
    return html`<div class="rows" role="grid" tabindex="0" aria-multiselectable="true" aria-label=${words.requests} aria-rowcount=${rows.length + 1}
        aria-activedescendant=${active ?? nothing} @keydown=${this.#key} @scroll=${this.#scrolled} @contextmenu=${this.#openMenu}>
      <div class="head" role="row" aria-rowindex="1" .style=${"position:sticky;top:0;z-index:1;background:var(--vscode-panel-background, var(--vscode-editor-background))"}>
        ${heads.map(([title, kind]) => html`<span role="columnheader" class=${kind}>${title}</span>`)}
      </div>
      <div class="space" role="rowgroup" .style=${`height:${rows.length * ROW_HEIGHT}px`}>
        ${drawn.map((row, i) => this.#row(words, row, first + i, chosen.has(row.id)))}
      </div>
    </div>`;
  }

  #row(words: Words, row: Exchange, index: number, isChosen: boolean): TemplateResult {
    const { id, method, status, client_host, target, service, override, at, fallback, timings, session_by } =
      row;
    const total = timings.total ?? timings.first_byte;
    const lost = row.lost_from !== null || (row.session === null && row.sender !== null);
    const seen =
      row.listener === "edge"
        ? words.atWorker
        : row.edge
          ? row.edge.after
            ? `${words.here}, ${words.atWorker}`
            : `${words.atWorker}, ${words.here}`
          : words.here;
    const bar =
      total === null ? 0 : Math.min(100, (100 * Math.log10(1 + total)) / Math.log10(1 + FULL_BAR_MS));
    return html`<div class="row" role="row" id="row-${id}" aria-rowindex=${index + 2} aria-selected=${isChosen}
        data-id=${id} .style=${`top:${index * ROW_HEIGHT}px`} @click=${(event: MouseEvent) => this.#choose(id, event.shiftKey)}>
      <span role="gridcell" class="medium time dim">${clock(timeOf(row))}</span>
      <span role="gridcell">${row.replay_of === null ? "" : "↻ "}${method}</span>
      <span role="gridcell" class=${statusClass(row)}>${row.broken ? "✗ " : ""}${status ?? "…"}</span>
      <span role="gridcell" title="${client_host}${target}">${target} <span class="dim">${client_host}</span></span>
      <span role="gridcell" class=${lost ? "client-error" : ""} title=${override ? fill(words.override, override) : nothing}>${lost ? words.lost : (service ?? "")}${override ? html` <span class="override">⇄ ${override}</span>` : nothing}</span>
      <span role="gridcell" class="medium ${at ?? ""}" title=${fallback === undefined ? nothing : fill(words.elsewhere, fallback)}>${at === null ? "" : words[at]}${fallback === undefined ? "" : " ↩"}</span>
      <span role="gridcell" class="wide dim">${seen}</span>
      <span role="gridcell" class="number took">${row.state === "open" ? words.open : duration(total)}<i .style=${`width:${bar}%`}></i></span>
      <span role="gridcell" class="wide number">${size(row.request_bytes + row.response_bytes)}</span>
      <span role="gridcell" class="wide dim">${session_by ?? ""}</span>
    </div>`;
  }

  #actions(all: readonly RowAction[]): RowAction[] {
    return all.filter((action) => !this.#status?.file || FILE_ACTIONS.includes(action));
  }

  /** Of a request that is not alone in its trace, or passed two hops. */
  #traceView({ id, trace }: ShownDetails, words: Words): TemplateResult | typeof nothing {
    const rows = trace === null ? [] : this.#store.withTrace(trace);
    if (rows.length < 2 && !rows.some(({ edge, listener }) => edge && listener !== "edge")) return nothing;
    return html`<h3>${words.trace}</h3>${waterfallView(rows, id, words, (other) => this.#choose(other))}`;
  }

  #menuView(words: Words): TemplateResult {
    const row = this.#selected === undefined ? undefined : this.#store.get(this.#selected);
    const filters: MenuChoice[] = [
      ...(row?.service ? (["filterService"] as const) : []),
      ...(row?.override ? (["filterOverride"] as const) : []),
      "filterPath",
      ...(row?.trace ? (["filterTrace"] as const) : []),
    ];
    const data = [
      ...this.#actions(ACTIONS).map((action) => ({ label: words[action], value: action })),
      { separator: true },
      ...filters.map((choice) => ({ label: words[choice as keyof Words], value: choice })),
    ];
    return html`<vscode-context-menu .data=${data} show .style=${`left:${this.#menu!.x}px;top:${this.#menu!.y}px`}
      @vsc-context-menu-select=${(event: CustomEvent<{ value: MenuChoice }>) => this.#chooseFromMenu(event.detail.value)}></vscode-context-menu>`;
  }

  override updated(): void {
    const rows = this.renderRoot.querySelector<HTMLElement>(".rows");
    if (!rows) return;
    if (this.#followsEnd) rows.scrollTop = rows.scrollHeight;
    if (rows.clientHeight !== this.#height || rows.scrollTop !== this.#scrollTop) {
      this.#height = rows.clientHeight;
      this.#scrollTop = rows.scrollTop;
      this.requestUpdate();
    }
  }

  readonly #scrolled = (event: Event): void => {
    const { scrollTop, scrollHeight, clientHeight } = event.target as HTMLElement;
    this.#scrollTop = scrollTop;
    this.#height = clientHeight;
    this.#followsEnd = this.#selected === undefined && scrollHeight - scrollTop - clientHeight < ROW_HEIGHT;
    this.requestUpdate();
  };

  readonly #key = (event: KeyboardEvent): void => {
    const rows = this.#store.shown;
    const at = rows.findIndex(({ id }) => id === this.#selected);
    const page = Math.max(1, Math.floor(this.#height / ROW_HEIGHT) - 2);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at === -1 ? rows.length - 1 : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = moves[event.key];
    const isCopy = (event.ctrlKey || event.metaKey) && event.key === "c";
    if (to !== undefined) this.#choose(rows[Math.max(0, Math.min(rows.length - 1, to))]?.id, event.shiftKey);
    else if (event.key === "Escape") this.#select(undefined);
    else if (isCopy) this.#run("copyCurl");
    else if (event.key === "Enter") this.renderRoot.querySelector<HTMLElement>(".details")?.focus();
    else if (event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) this.#openMenuAtRow();
    else if (event.key === "/") this.renderRoot.querySelector<HTMLElement>("vscode-textfield")?.focus();
    else return;
    event.preventDefault();
  };

  readonly #openMenu = (event: MouseEvent): void => {
    const row = (event.target as Element).closest<HTMLElement>(".row");
    event.preventDefault();
    if (!row) return;
    const id = Number(row.dataset.id);
    if (!this.#chosen.includes(id)) this.#select(id);
    this.#showMenu(event.clientX, event.clientY);
  };

  #openMenuAtRow(): void {
    const box = this.renderRoot.querySelector(`#row-${this.#selected}`)?.getBoundingClientRect();
    if (box) this.#showMenu(box.left + 40, box.bottom);
  }

  #showMenu(x: number, y: number): void {
    // Where it has room.
    this.#menu = { x: Math.min(x, innerWidth - 220), y: Math.max(0, Math.min(y, innerHeight - 300)) };
    this.requestUpdate();
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>("vscode-context-menu")?.focus(),
    );
  }

  #closeMenu(): void {
    if (!this.#menu) return;
    this.#menu = undefined;
    this.requestUpdate();
  }

  #chooseFromMenu(choice: MenuChoice): void {
    this.#closeMenu();
    const row = this.#selected === undefined ? undefined : this.#store.get(this.#selected);
    if (choice === "filterService") this.#setFilter(`service:${row?.service}`);
    else if (choice === "filterOverride") this.#setFilter(`override:${row?.override}`);
    else if (choice === "filterTrace") this.#setFilter(`trace:${row?.trace}`);
    else if (choice === "filterPath") this.#setFilter(`path:"${row?.target.split("?")[0]}"`);
    else this.#run(choice);
  }

  /** The selected rows, oldest first. */
  get #chosen(): number[] {
    const selected = this.#selected;
    if (selected === undefined) return [];
    const rows = this.#store.shown;
    const ends = [selected, this.#anchor ?? selected].map((end) => rows.findIndex(({ id }) => id === end));
    const from = Math.min(...ends);
    return from === -1 ? [selected] : rows.slice(from, Math.max(...ends) + 1).map(({ id }) => id);
  }

  #run(action: RowAction, ids = this.#idsFor(action)): void {
    if (ids.length > 0) vscode.postMessage({ type: "action", action, ids });
  }

  /** Some actions are of all rows that are selected. */
  #idsFor(action: RowAction): number[] {
    const chosen = this.#chosen;
    if (action === "compare") return chosen.slice(-MAX_COMPARED);
    return action === "saveHar" || this.#selected === undefined ? chosen : [this.#selected];
  }

  #setFilter(text: string): void {
    this.#filter = text;
    this.#store.filter(text);
    this.#keep();
    this.requestUpdate();
  }

  #pause(paused: boolean): void {
    this.#store.pause(paused);
    this.#keep();
    this.requestUpdate();
  }

  #keep(): void {
    vscode.setState({ filter: this.#filter, paused: this.#store.paused });
  }

  #focusRows(): void {
    this.renderRoot.querySelector<HTMLElement>(".rows")?.focus();
  }

  /** By click or key: comes into sight. `extend`: the rows from where the selection began are selected too. */
  #choose(id: number | undefined, extend = false): void {
    const anchor = extend ? (this.#anchor ?? this.#selected) : undefined;
    this.#select(id);
    this.#anchor = anchor;
    const index = this.#store.shown.findIndex((row) => row.id === id);
    const rows = this.renderRoot.querySelector<HTMLElement>(".rows");
    if (!rows || index === -1) return;
    const top = index * ROW_HEIGHT;
    // Below the heading, which stays in its place.
    if (top < rows.scrollTop) rows.scrollTop = top;
    else if (top + 2 * ROW_HEIGHT > rows.scrollTop + rows.clientHeight)
      rows.scrollTop = top + 2 * ROW_HEIGHT - rows.clientHeight;
  }

  #select(id: number | undefined): void {
    if (this.#anchor !== undefined) this.requestUpdate();
    this.#anchor = undefined;
    if (id === this.#selected) return;
    this.#selected = id;
    this.#details = undefined;
    this.#gone = false;
    this.#followsEnd = false;
    if (id !== undefined) vscode.postMessage({ type: "details", id });
    this.requestUpdate();
  }

  #refreshDetails(): void {
    this.#refresh ??= setTimeout(() => {
      this.#refresh = undefined;
      if (this.#selected !== undefined) vscode.postMessage({ type: "details", id: this.#selected });
    }, REFRESH_MS);
  }
}

function statusClass({ status, state, broken }: Exchange): string {
  if (broken) return "server-error";
  if (state === "open" || status === null) return "dim";
  return status >= 500 ? "server-error" : status >= 400 ? "client-error" : "ok";
}

customElements.define("linkup-requests", RequestsPage);
