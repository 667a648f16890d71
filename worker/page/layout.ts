/** The frame of every page, and its headers. */
import type { Actor } from "../objects/owner.ts";
import { type Html, html } from "./html.ts";

/** No scripts at all, nothing from elsewhere, in no frame; and no cache keeps any of it. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // With less, browsers would not say where a form comes from.
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-robots-tag": "noindex",
};

export const PAGES = {
  "/linkup/": "Sessions",
  "/linkup/audit": "Audit",
  "/linkup/tokens": "Tokens",
  "/linkup/about": "Worker",
};

export interface PageContent {
  title: string;
  body: Html;
  /** Undefined: not logged in. */
  actor?: Actor;
  /** The path of the navigation's entry. */
  at?: keyof typeof PAGES;
  status?: number;
  headers?: Record<string, string>;
}

export function pageResponse({ title, body, actor, at, status = 200, headers = {} }: PageContent): Response {
  const links = Object.entries(PAGES).map(
    ([path, name]) =>
      html`<li><a href="${path}"${path === at ? html` aria-current="page"` : ""}>${name}</a></li>`,
  );
  const who = actor?.role === "named" ? html`token <code>${actor.name}</code>` : "main token";
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Linkup</title>
<link rel="stylesheet" href="/linkup/style.css">
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header>
<strong>Linkup Worker</strong>
${
  actor &&
  html`<nav aria-label="Pages"><ul>${links}</ul></nav>
<form method="post" action="/linkup/logout"><span class="muted">${who}</span> <button>Log out</button></form>`
}
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return new Response(page.text, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", ...HEADERS, ...headers },
  });
}

export function styleResponse(style: string): Response {
  return new Response(style, { headers: { "content-type": "text/css; charset=utf-8", ...HEADERS } });
}

/** After a form: the browser shows this page, and reloading it sends nothing again. */
export function seeOther(path: string, headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 303, headers: { location: path, ...HEADERS, ...headers } });
}
