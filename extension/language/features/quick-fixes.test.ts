import { expect, test } from "vitest";
import { badText, FIXES } from "../../../test/support/language/cases.ts";
import { RUNNING, SHOP, shop } from "../../../test/support/language/testing.ts";
import { modelOf } from "../document/document-model.ts";
import { NO_FACTS } from "../document/editor-facts.ts";
import { applyEdits } from "../document/edits.ts";
import { CODES, documentDiagnostics } from "./diagnostics.ts";
import { fixAll, fixes } from "./quick-fixes.ts";

/** What the fixes of the finding of that code make of the text, by their titles. */
function fixed(text: string, code: string, facts = NO_FACTS): Record<string, string> {
  const model = modelOf(text);
  const finding = documentDiagnostics(model, facts).find((finding) => finding.code === code);
  if (!finding) throw new Error(`There is no ${code}`);
  return Object.fromEntries(
    fixes(model, finding, facts).map(({ title, edits }) => [title, applyEdits(text, edits)]),
  );
}

test.each(FIXES)("%s as %s: %s", (...fix) => {
  const [, bad, code, title, expected] = fix;
  const start = badText(fix);
  const [[first, text] = []] = Object.entries(fixed(start, code));
  expect(first).toBe(title);
  expect(text).toBe(start.replace(bad, () => expected));
});

test("every code has a fix, or is known to need more than one edit", () => {
  const live = ["nothing-listens", "token-in-file"];
  /** No single edit resolves these. */
  const withoutFix = [
    "too-many-patterns",
    "more-problems",
    "missing-file",
    "invalid-override",
    "shadowed-override",
  ];
  expect(new Set([...FIXES.map(([, , code]) => code), ...live, ...withoutFix])).toEqual(new Set(CODES));
});

test("a missing key comes behind the last one, with its example", () => {
  expect(fixed(shop("    remote: https://api.example.com\n", ""), "missing-key")).toEqual({
    'Add the key "remote"': shop(
      "    remote: https://api.example.com\n    local: http://localhost:4000\n",
      "    local: http://localhost:4000\n    remote: https://api.example.com\n",
    ),
  });
  expect(fixed("linkup:\r\n  worker_url: https://x.example.com\r\n", "missing-key")).toEqual({
    'Add the key "services"':
      "linkup:\r\n  worker_url: https://x.example.com\r\nservices:\r\n  - name: web\r\n    remote: https://web.example.com\r\n    local: http://localhost:3000\r\n",
  });
  expect(
    fixed(
      "linkup: { worker_url: https://x.example.com }\nservices: [{ name: a }]\ndomains: []",
      "missing-key",
    ),
  ).toEqual({
    'Add the key "remote"':
      "linkup: { worker_url: https://x.example.com }\nservices: [{ name: a, remote: https://a.example.com }]\ndomains: []",
  });
});

test("what is added is never another's in this file", () => {
  const file = (services: string, domains = "[{ domain: example.com, default_service: web }]") =>
    `linkup: { worker_url: "https://w.example.com" }
services: [{ name: web, remote: "https://web.example.com", local: "http://localhost:3000" }, ${services}]
domains: ${domains}
`;
  const added = (text: string) => {
    const [[, after] = ["", ""]] = Object.entries(fixed(text, "missing-key"));
    return [...after.matchAll(/, (\w+: [^,}]*)(?= \})/g)].map(([, pair]) => pair!);
  };
  const local = 'local: "http://localhost:3001"';
  expect(added(file(`{ remote: "https://web.other.example", ${local} }`))).toContain("name: web-2");
  expect(added(file(`{ remote: "https://pay.example.com", ${local} }`))).toContain("name: pay");
  expect(added(file(`{ name: Web, ${local} }`))).toContain("remote: https://web-2.example.com");
  expect(added(file('{ name: pay, remote: "https://pay.example.com" }'))).toContain(
    "local: http://localhost:3001",
  );
  const domains = "[{ domain: example.com, default_service: web }, { default_service: web }]";
  expect(added(file(`{ name: a, remote: "https://a.example.com", ${local} }`, domains))).toContain(
    "domain: example.org",
  );
});

test("an unknown service can be added, a copy can go, with its comment", () => {
  const unknown = fixed(shop("service: api\n", "service: shipping\n"), "unknown-service");
  expect(unknown['Add the service "shipping"']).toBe(
    shop("service: api\n", "service: shipping\n").replace(
      "domains:",
      "  - name: shipping\n    remote: https://shipping.example.com\n    local: http://localhost:3001\ndomains:",
    ),
  );
  const twice = SHOP.replace("example.org", "example.com").replace(
    '  - domain: example.com\n    default_service: "api"',
    "  # again\n$&",
  );
  expect(fixed(twice, "duplicate-domain")).toEqual({
    "Remove this domain": SHOP.slice(0, SHOP.indexOf("  - domain: example.org")),
  });
  expect(fixed(shop("rewrites:", "colour:"), "unknown-key")).toHaveProperty("Remove this key");
});

test("a route moves before the one that takes its paths", () => {
  const routes = (...lines: string[]) =>
    shop("      - path: ^/api/.*\n        service: api\n", lines.join(""));
  const all = "      # everything else\n      - path: /\n        service: web\n";
  const api = "      # the backend\n      - path: ^/api/.* # all of it\n        service: api\n";
  expect(fixed(routes(all, api), "unreachable-route")).toEqual({
    "Move it before the route that shadows it": routes(api, all),
    "Remove this route": routes(all),
  });
  expect(Object.keys(fixed(routes(api, api), "unreachable-route"))).toEqual(["Remove this route"]);
});

test("a token goes to the environment, or to the editor's secrets", () => {
  const text = shop(
    "https://linkup.example.com\n",
    "https://linkup.example.com\n  worker_token: secret # mine\n",
  );
  expect(fixed(text, "token-in-file", { ...NO_FACTS, tracked: true })).toEqual({
    "Read it from the variable LINKUP_WORKER_TOKEN": text.replace("secret", "${env:LINKUP_WORKER_TOKEN}"),
    "Move it to the editor's secret storage": SHOP,
  });
  // Secrets are kept by their Worker: while none is named rightly they would be lost.
  for (const url of ["linkup.example.com", "https://linkup.example.com:70000", ""])
    expect(
      Object.keys(
        fixed(text.replace("https://linkup.example.com", url), "token-in-file", {
          ...NO_FACTS,
          tracked: true,
        }),
      ),
    ).toEqual(["Read it from the variable LINKUP_WORKER_TOKEN"]);
});

test("a silent local service can be routed to remote", () => {
  const facts = { ...RUNNING, listening: new Set<number>() };
  const model = modelOf(SHOP);
  const [web, api] = documentDiagnostics(model, facts).map((finding) => fixes(model, finding, facts));
  expect(web).toEqual([{ title: "Route web to remote", edits: [], toRemote: "web" }]);
  expect(api).toEqual([]);
});

test("fix all applies the clear fixes at once, and removes nothing", () => {
  const text = shop("default_service: web", "default_service: wbe").replace(
    "service: api\n",
    "service: apii\n",
  );
  const model = modelOf(text);
  const mended = applyEdits(text, fixAll(model, NO_FACTS));
  expect(mended).toBe(shop("", ""));
  const twice = `${SHOP}linkup:\n  worker_url: https://x.example.com\n`;
  expect(fixAll(modelOf(twice), NO_FACTS)).toEqual([]);
});
