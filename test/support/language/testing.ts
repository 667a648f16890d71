/** What the tests of this folder share: a file, its session, and a cursor in a text. */

import { type EditorFacts, NO_FACTS } from "../../../extension/language/document/editor-facts.ts";
import { serviceView, sessionView } from "../session-view.ts";

export const SHOP = `linkup:
  worker_url: https://linkup.example.com
services:
  # What people see.
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
    rewrites:
      - source: /foo/(.*)
        target: /bar/$1
  - name: api # the backend
    remote: https://api.example.com
    local: http://localhost:4000
domains:
  - domain: example.com
    default_service: web
    routes:
      - path: ^/api/.*
        service: api
  - domain: example.org
    default_service: "api"
`;

/** The place of `█` in the text, and the text without it. */
export function cursor(marked: string): { text: string; offset: number } {
  const offset = marked.indexOf("█");
  if (offset === -1) throw new Error("There is no █ in the text.");
  return { text: marked.replace("█", ""), offset };
}

/** SHOP with one piece of text replaced. */
export function shop(from: string, to: string): string {
  if (!SHOP.includes(from)) throw new Error(`SHOP has no ${from}`);
  return SHOP.replace(from, () => to);
}

const SESSION = sessionView({
  urls: [],
  services: [
    serviceView("web", 3000, { target: "local" }),
    serviceView("api", 4000, { health: "unhealthy", reason: "It answers 503.", latencyMs: undefined }),
  ],
});

/** While SHOP's session runs: web on this machine, api remote and ill. */
export const RUNNING: EditorFacts = { ...NO_FACTS, session: SESSION, sessionNames: ["slim-gecko"] };

/** The text with a snippet's placeholders as they are when nothing is typed over them. */
export function expanded(snippet: string): string {
  const defaults = new Map<string, string>();
  let text = snippet;
  for (let before = ""; before !== text; ) {
    before = text;
    text = text
      .replace(/\$\{(\d+):((?:[^{}\\$]|\\.|\$\d)*)\}/g, (_, number: string, value: string) => {
        defaults.set(number, value);
        return value;
      })
      .replace(/\$\{(\d+)\|([^,|]*)[^|]*\|\}/g, "$2");
  }
  return text
    .replace(/(?<!\\)\$(\d)/g, (_, number: string) => defaults.get(number) ?? "")
    .replace(/\\([\\$}])/g, "$1");
}
