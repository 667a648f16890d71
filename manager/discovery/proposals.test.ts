import { describe, expect, test } from "vitest";
import { servicesIn } from "./proposals.ts";

/** Each as `name port directory (file)`. */
function found(files: Record<string, string>): string[] {
  return servicesIn(new Map(Object.entries(files))).map(
    ({ name, local, directory, foundIn }) =>
      `${name} ${local.replace("http://localhost:", "")} ${directory ?? "-"} (${foundIn})`,
  );
}

const scripts = (name: string, scripts: Record<string, string>) => JSON.stringify({ name, scripts });

test("a monorepo: each package that serves, and no library", () => {
  const files = {
    "package.json": scripts("acme", { dev: "turbo run dev" }),
    "apps/web/package.json": scripts("@acme/web", { dev: "next dev", build: "next build" }),
    "apps/api/package.json": scripts("@acme/api", { dev: "tsx watch src/main.ts" }),
    "apps/api/.env": "DATABASE_URL=postgres://localhost:5432\nexport PORT = '4000' # ours\n",
    "packages/ui/package.json": scripts("@acme/ui", { dev: "tsc --watch" }),
  };
  expect(found(files)).toEqual([
    "api 4000 ./apps/api (apps/api/package.json)",
    "web 3000 ./apps/web (apps/web/package.json)",
  ]);
});

test("vite's own configuration tells its port", () => {
  const files = {
    "package.json": scripts("Shop Front", { dev: "vite" }),
    "vite.config.ts": "export default defineConfig({ server: { open: true, port: 3100 } });",
  };
  expect(found(files)).toEqual(["shop-front 3100 - (package.json)"]);
});

test("scripts in the order of work", () => {
  const files = { "package.json": scripts("", { start: "node dist --port 80", dev: "node src --port 81" }) };
  expect(found(files)).toEqual(["web 81 - (package.json)"]);
});

test("a Procfile", () => {
  const files = {
    "Procfile.dev":
      "web: bin/rails server -p 3000\njs: yarn build --watch\ndocs: mkdocs serve -a localhost:8001\n",
    ".env": "PORT=9999\n",
  };
  expect(found(files)).toEqual(["web 3000 - (Procfile.dev)", "docs 8001 - (Procfile.dev)"]);
});

describe("Docker Compose", () => {
  const compose = (ports: string, more = "") =>
    found({
      "docker-compose.yml": `services:\n  it:\n    ports: [${ports}]\n${more}`,
      ".env": "ITS_PORT=7001\n",
    });
  test.each([
    ['"8080:80"', "8080"],
    ['"127.0.0.1:8081:3000/tcp"', "8081"],
    ['"9090-9091:8080-8081"', "9090"],
    ['"${ITS_PORT}:80"', "7001"],
    ['"${OTHER_PORT:-7002}:80"', "7002"],
    ["{ target: 80, published: 8082 }", "8082"],
    ['{ target: 80, published: "8083", protocol: tcp }', "8083"],
    ['"9229:5432", "8084:80"', "8084"],
  ])("%s", (ports, port) => expect(compose(ports)).toEqual([`it ${port} - (docker-compose.yml)`]));

  test.each(['"80"', '"5433:5432"', '"5353:53/udp"', "{ target: 80 }", '"${NONE}:80"', "80", "null"])(
    "%s is not valid",
    (ports) => expect(compose(ports)).toEqual([]),
  );

  test.each([
    ["build: ./services/it", "./services/it"],
    ["build: { context: services/it/ }", "./services/it"],
    ["build: .", "-"],
    ["build: ../elsewhere", "-"],
    ["build: https://github.com/acme/it.git", "-"],
    ["image: it", "-"],
  ])("%s", (build, directory) =>
    expect(compose('"8080:80"', `    ${build}\n`)).toEqual([`it 8080 ${directory} (docker-compose.yml)`]),
  );

  test.each(["", "services: [", "services:\n  it:\n", "- 1\n", "services: 3\n"])("nothing in %j", (text) =>
    expect(found({ "compose.yaml": text })).toEqual([]),
  );
});

test("an env file alone, in a folder of its own", () => {
  expect(found({ "billing/.env": "PORT=5001\n", ".env": "PORT=1\n" })).toEqual([
    "billing 5001 ./billing (billing/.env)",
  ]);
});

test("what several files tell of one service is said once", () => {
  const files = {
    "compose.yaml": `services:
  web: { build: ./web, ports: ["8080:80"] }
  api: { build: ./api, ports: ["4000:4000"] }
  mail: { image: mailhog, ports: ["1025:1025", "8025:8025"] }
`,
    "web/package.json": scripts("storefront", { dev: "vite" }),
    "api/.env": "PORT=4000",
  };
  expect(found(files)).toEqual([
    "web 5173 ./web (web/package.json)",
    "api 4000 ./api (compose.yaml)",
    "mail 8025 - (compose.yaml)",
  ]);
});

test("an invalid package.json tells nothing", () => {
  for (const text of ["", "{", "null", '{"scripts": 3}', '{"scripts": {"dev": 3}}'])
    expect(found({ "package.json": text })).toEqual([]);
});
