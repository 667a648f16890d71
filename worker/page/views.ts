/** What the pages show. Names, URLs and domains are others' text: `html` escapes it. */

import type { AuditEntry, SessionDetails, SessionPage, SessionSummary } from "../../core/api/worker-api.ts";
import { inLargestUnit } from "../../core/session/duration.ts";
import { type Html, html } from "./html.ts";

/** How long a session may be extended, in seconds; empty: as long as it is used. */
const EXTENSIONS: readonly (readonly [string, string])[] = [
  ["86400", "1 day"],
  ["604800", "7 days"],
  ["2592000", "30 days"],
  ["7776000", "90 days"],
  ["", "as long as it is used"],
];

export function loginView(problem: string | undefined): Html {
  return html`
${problem && html`<p class="note error" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/linkup/login">
<p><label for="token">Worker token: the main one, or a named one</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password"${problem && html` aria-describedby="problem" aria-invalid="true"`}></p>
<button>Log in</button>
</form>`;
}

interface SessionsContent {
  page: SessionPage;
  total: number;
  search: string;
  after: string | undefined;
  now: number;
  note: string | undefined;
}

export function sessionsView({ page, total, search, after, now, note }: SessionsContent): Html {
  const { sessions, next } = page;
  const link = (from: string | undefined) => {
    const query = new URLSearchParams({ ...(search ? { q: search } : {}), ...(from ? { after: from } : {}) });
    return `/linkup/?${query}`;
  };
  const shown = `${sessions.length} of ${total} sessions${search ? `, with “${search}” in their names` : ""}${after ? `, after ${after}` : ""}`;
  return html`
${noteView(note)}
<form class="row" role="search">
<div><label for="q">Name contains</label><input id="q" name="q" type="search" value="${search}"></div>
<button>Search</button>
</form>
<nav aria-label="Pages of sessions"><p>
${after !== undefined && html`<a href="${link(undefined)}">First page</a>`}
${next !== undefined && html`<a href="${link(next)}">Next page</a>`}
</p></nav>
<div class="wide" role="region" aria-label="Sessions" tabindex="0"><table>
<caption>${shown}</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">Token</th><th scope="col">Created</th><th scope="col">Last used</th><th scope="col">Expires</th></tr></thead>
<tbody>${sessions.map((session) => sessionRow(session, now))}</tbody>
</table></div>
${sessions.length === 0 && html`<p>There is no such session.</p>`}`;
}

function sessionRow(
  { session_name: name, session_kind, maker, created, used, expires }: SessionSummary,
  now: number,
): Html {
  return html`<tr><th scope="row"><a href="/linkup/sessions/${name}">${name}</a></th><td>${session_kind}</td><td>${maker ?? "main"}</td><td>${time(created, now)}</td><td>${time(used, now)}</td><td>${time(expires, now)}</td></tr>
`;
}

interface SessionContent {
  session: SessionDetails;
  now: number;
  /** The caller may change it. */
  isOwner: boolean;
  /** `https:`, or that of a Worker on this machine with its port. */
  urlOf: (host: string) => string;
  note: string | undefined;
}

export function sessionView({ session, now, isOwner, urlOf, note }: SessionContent): Html {
  const {
    session_name: name,
    session_kind,
    maker,
    created,
    updated,
    used,
    expires,
    services,
    domains,
    tunnel,
  } = session;
  const path = `/linkup/sessions/${name}`;
  return html`
${noteView(note)}
<h2>Open</h2>
<ul>${domains.map(({ domain }) => {
    const url = urlOf(`${name}.${domain}`);
    return html`<li><a href="${url}" rel="noreferrer">${url}</a></li>`;
  })}</ul>
<h2>About</h2>
<dl>
<dt>Kind</dt><dd>${session_kind}</dd>
<dt>Token</dt><dd>${maker ?? "main"}</dd>
<dt>Created</dt><dd>${time(created, now)}</dd>
<dt>Changed</dt><dd>${time(updated, now)}</dd>
<dt>Last used</dt><dd>${time(used, now)}</dd>
<dt>Expires</dt><dd>${time(expires, now)}</dd>
${tunnel && html`<dt>Tunnel</dt><dd><code>${tunnel.name}</code>, started ${time(tunnel.last_started, now)}</dd>`}
</dl>
<h2>Services</h2>
<div class="wide" role="region" aria-label="Services" tabindex="0"><table>
<thead><tr><th scope="col">Service</th><th scope="col">Location</th></tr></thead>
<tbody>${services.map((service) => html`<tr><th scope="row">${service.name}</th><td><code>${service.location}</code></td></tr>`)}</tbody>
</table></div>
<h2>Change</h2>
${
  isOwner
    ? html`<form class="row" method="post" action="${path}/extend">
<div><label for="for">Expires, from now</label><select id="for" name="for">${EXTENSIONS.map(
        ([seconds, label]) =>
          html`<option value="${seconds}"${seconds === "604800" && html` selected`}>${label}</option>`,
      )}</select></div>
<button>Extend</button>
</form>
<details><summary>Delete…</summary>
<form method="post" action="${path}/delete"><p>Its URLs stop working for everyone.</p><button class="danger">Delete ${name}</button></form>
</details>`
    : html`<p>Only its owner may extend or delete it: the token that made it, or the main token.</p>`
}`;
}

interface TokensContent {
  tokens: readonly { name: string; created: number }[];
  now: number;
  /** Shown once. */
  made: { name: string; token: string } | undefined;
  problem: string | undefined;
  note: string | undefined;
}

export function tokensView({ tokens, now, made, problem, note }: TokensContent): Html {
  return html`
${noteView(note)}
${
  made &&
  html`<p class="note" role="status" tabindex="-1" autofocus>The token <strong>${made.name}</strong>. It is shown only now: <code>${made.token}</code></p>`
}
<p>A named token lists all sessions, makes new ones, and changes and deletes its own. Give each colleague, CI and agent one.</p>
${problem && html`<p class="note error" role="alert" id="problem">${problem}</p>`}
<form class="row" method="post" action="/linkup/tokens">
<div><label for="name">Name of a new token</label><input id="name" name="name" required maxlength="100" autocomplete="off"${problem && html` aria-describedby="problem" aria-invalid="true"`}></div>
<button>Create</button>
</form>
<div class="wide" role="region" aria-label="Tokens" tabindex="0"><table>
<caption>${tokens.length} named tokens</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Created</th><th scope="col">Revoke</th></tr></thead>
<tbody>${tokens.map(
    ({
      name,
      created,
    }) => html`<tr><th scope="row">${name}</th><td>${time(created, now)}</td><td><details><summary>Revoke ${name}…</summary>
<form method="post" action="/linkup/tokens/${name}/revoke"><button class="danger">Revoke ${name} now</button></form></details></td></tr>
`,
  )}</tbody>
</table></div>`;
}

interface AuditContent {
  entries: readonly AuditEntry[];
  skip: number;
  perPage: number;
  now: number;
}

export function auditView({ entries, skip, perPage, now }: AuditContent): Html {
  const who = ({ role, token }: AuditEntry) =>
    role === "named" ? `token ${token}` : role === "main" ? "main token" : "the Worker";
  return html`
<nav aria-label="Pages of the audit log"><p>
${skip > 0 && html`<a href="/linkup/audit?skip=${Math.max(0, skip - perPage)}">Newer</a>`}
${entries.length === perPage && html`<a href="/linkup/audit?skip=${skip + perPage}">Older</a>`}
</p></nav>
<div class="wide" role="region" aria-label="Audit log" tabindex="0"><table>
<caption>Newest first; the newest 10,000 are kept</caption>
<thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Subject</th><th scope="col">Who</th></tr></thead>
<tbody>${entries.map(
    (
      entry,
    ) => html`<tr><td>${time(entry.at, now)}</td><td>${entry.action}</td><td>${entry.subject}</td><td>${who(entry)}</td></tr>
`,
  )}</tbody>
</table></div>`;
}

/** Pairs of a term and its value. */
export function aboutView(facts: readonly (readonly [string, string])[]): Html {
  return html`<dl>${facts.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>`)}</dl>`;
}

/** Focused, so that screen readers say it after a form was sent. */
function noteView(note: string | undefined): Html | undefined {
  return note === undefined
    ? undefined
    : html`<p class="note" role="status" tabindex="-1" autofocus>${note}</p>`;
}

function time(at: number, now: number): Html {
  const date = new Date(at).toISOString();
  return html`<time datetime="${date}" title="${date}">${distance(at - now)}</time>`;
}

/** `3 h ago`, `in 7 d`. */
function distance(ms: number): string {
  const { count, unit } = inLargestUnit(Math.abs(ms));
  return ms < 0 || count === 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`;
}
