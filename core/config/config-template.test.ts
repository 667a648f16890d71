import { describe, expect, test } from "vitest";
import { configTemplate, type TemplateService, type TemplateTexts } from "./config-template.ts";
import { parseConfig } from "./parse-config.ts";

const words: TemplateTexts = {
  head: "Head.",
  worker: ["Worker, line 1.", "Line 2."],
  services: "Services.",
  foundIn: (file) => `Found in ${file}.`,
  domains: "Domains.",
};

/** What the file says of its services and routes; fails when it has errors. */
function parsed(services?: readonly TemplateService[]) {
  const { config, diagnostics: problems } = parseConfig(configTemplate(words, services));
  expect(problems.filter(({ severity }) => severity !== "hint")).toEqual([]);
  return config!;
}

test("without services it is a valid file with two examples", () => {
  const { services, domains } = parsed();
  expect(services.map(({ name, local }) => [name, local])).toEqual([
    ["web", "http://localhost:3000"],
    ["api", "http://localhost:3001"],
  ]);
  expect(domains).toEqual([
    { domain: "example.com", default_service: "web", routes: [{ path: "^/api/", service: "api" }] },
  ]);
});

test("the service of the pages is the default one, the others get a route each", () => {
  const text = configTemplate(words, [
    { name: "orders_api", local: "http://localhost:4000", foundIn: "Procfile" },
    { name: "shop-frontend", local: "http://localhost:5173", directory: "./apps/shop", foundIn: "a/b" },
  ]);
  expect(text).toBe(`# Head.
linkup:
  # Worker, line 1.
  # Line 2.
  worker_url: https://linkup.example.com

services:
  # Services.
  # Found in Procfile.
  - name: orders_api
    remote: https://orders-api.example.com
    local: http://localhost:4000
  # Found in a/b.
  - name: shop-frontend
    remote: https://shop-frontend.example.com
    local: http://localhost:5173
    directory: ./apps/shop

domains:
  # Domains.
  - domain: example.com
    default_service: shop-frontend
    routes:
      - path: ^/orders_api/
        service: orders_api
`);
});

describe("what YAML would take for something else stays text", () => {
  test.each(["123", "true", "no", "-web", "1e3"])("the name %s", (name) => {
    const { services, domains } = parsed([{ name, local: "http://localhost:1", directory: "./a: b #c" }]);
    expect(services[0]).toMatchObject({ name, directory: "./a: b #c" });
    expect(domains[0]!.default_service).toBe(name);
  });
});
