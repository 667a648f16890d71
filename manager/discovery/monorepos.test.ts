/** The layouts of well-known public monorepos, as small as they show what was once read wrongly. */
import { describe, expect, test } from "vitest";
import { servicesIn } from "./proposals.ts";

/** Each as `name port directory`. */
function found(files: Record<string, string>): string[] {
  return servicesIn(new Map(Object.entries(files)))
    .map(({ name, local, directory }) => `${name} ${new URL(local).port} ${directory ?? "-"}`)
    .sort();
}

const pack = (name: string, scripts: Record<string, string>) => JSON.stringify({ name, scripts });

describe("services of", () => {
  test.each<[string, Record<string, string>, string[]]>([
    [
      "medusa: five documentation apps of one framework, whose ports are in a script beside",
      {
        "www/apps/book/package.json": pack("book", { dev: "next dev", "dev:monorepo": "yarn dev -p 3001" }),
        "www/apps/resources/package.json": pack("resources", {
          dev: "next dev",
          "dev:monorepo": "yarn dev -p 3002",
        }),
        "www/apps/ui/package.json": pack("ui", { dev: "next dev" }),
        "www/apps/user-guide/package.json": pack("user-guide", { dev: "next dev" }),
        "www/apps/cloud/package.json": pack("cloud", { dev: "next dev" }),
        "www/package.json": pack("root", { dev: "turbo run dev:monorepo" }),
      },
      [
        "book 3001 ./www/apps/book",
        "cloud 3000 ./www/apps/cloud",
        "resources 3002 ./www/apps/resources",
        "ui 3000 ./www/apps/ui",
        "user-guide 3000 ./www/apps/user-guide",
      ],
    ],
    [
      "documenso: React Router on Vite, with the port behind parseInt",
      {
        "package.json": pack("@documenso/root", { dev: "turbo run dev --filter=@documenso/remix" }),
        "apps/remix/package.json": pack("@documenso/remix", {
          dev: "npm run with:env -- react-router dev",
          start: "npm run with:env -- cross-env NODE_ENV=production node build/server/main.js",
        }),
        "apps/remix/vite.config.ts":
          "export default defineConfig({\n  server: {\n    port: parseInt(process.env.PORT || '3000', 10),\n    strictPort: true,\n  },\n});",
        "apps/documentation/package.json": pack("@documenso/documentation", { dev: "next dev -p 3002" }),
        "apps/openpage-api/package.json": pack("@documenso/openpage-api", { dev: "next dev -p 3003" }),
        ".env.example": 'NEXTAUTH_SECRET="secret"\n',
      },
      [
        "documentation 3002 ./apps/documentation",
        "openpage-api 3003 ./apps/openpage-api",
        "remix 3000 ./apps/remix",
      ],
    ],
    [
      "cal.com: a development script that starts another one, after building",
      {
        "apps/web/package.json": pack("@calcom/web", { dev: "yarn copy-app-store-static && next dev" }),
        "apps/api/v2/package.json": pack("@calcom/api-v2", {
          dev: "yarn dev:build && docker-compose up -d && yarn start --watch",
          start: "nest start",
        }),
        "apps/api/v2/src/main.ts": "await app.listen(process.env.PORT ?? 5555);",
      },
      ["api-v2 5555 ./apps/api/v2", "web 3000 ./apps/web"],
    ],
    [
      "supabase: ports from variables with a default",
      {
        "apps/studio/package.json": pack("studio", {
          dev: "next dev -p ${STUDIO_PORT:-8082}",
          start: "next start -p 8082",
        }),
        "apps/docs/package.json": pack("docs", { dev: "next dev --port 3001" }),
        "apps/www/package.json": pack("www", { dev: "next dev --port 3000" }),
        "docker/docker-compose.yml":
          "services:\n  kong:\n    image: kong\n    ports: ['${KONG_HTTP_PORT}:8000/tcp']\n  db:\n    image: postgres\n    ports: ['5432:5432']\n",
        "docker/.env.example": "KONG_HTTP_PORT=8000\n",
      },
      ["docs 3001 ./apps/docs", "kong 8000 -", "studio 8082 ./apps/studio", "www 3000 ./apps/www"],
    ],
    [
      "n8n: an editor on Vite, and a server of which nothing tells the port",
      {
        "packages/cli/package.json": pack("n8n", {
          dev: 'concurrently -k "pnpm run watch" "nodemon --delay 1"',
          start: "node ../../scripts/os-normalize.mjs --dir bin n8n",
        }),
        "packages/frontend/editor-ui/package.json": pack("n8n-editor-ui", {
          dev: "cross-env VUE_APP_URL_BASE_API=http://localhost:5678/ vite --host 0.0.0.0 --port 8080 dev",
        }),
        "packages/nodes/package.json": pack("nodes", { dev: "vite-node scripts/watch.ts" }),
      },
      ["n8n-editor-ui 8080 ./packages/frontend/editor-ui"],
    ],
    [
      "immich: a development Compose file beside, with debuggers before the service's own port",
      {
        "docker/docker-compose.dev.yml": `services:
  immich-server:
    build: { context: ../, dockerfile: server/Dockerfile }
    ports: ['9230:9230', '9231:9231', '2283:2283']
  immich-web:
    build: { context: ../web }
    ports: ['3000:3000', '24678:24678']
  immich-machine-learning:
    build: { context: ../machine-learning }
    ports: ['3003:3003']
  database:
    image: postgres
    ports: ['5432:5432']
`,
        "web/package.json": pack("immich-web", { dev: "vite dev --host 0.0.0.0 --port 3000" }),
        "server/package.json": pack("immich", { "start:dev": "nest start --watch --" }),
        "cli/package.json": pack("@immich/cli", { dev: "vite build --watch" }),
      },
      [
        "immich-machine-learning 3003 ./machine-learning",
        "immich-server 3000 ./server",
        "immich-web 3000 ./web",
      ],
    ],
    [
      "plane: several apps, a server by its example of an env file",
      {
        "apps/web/package.json": pack("web", { dev: "next dev --port 3000" }),
        "apps/admin/package.json": pack("admin", { dev: "next dev --port 3001" }),
        "apps/space/package.json": pack("space", { dev: "next dev -p 3002" }),
        "apps/live/package.json": pack("live", {
          dev: 'tsdown --watch --onSuccess "node --env-file=.env ."',
          start: "node --env-file=.env .",
        }),
        "apps/live/.env.example": 'PORT=3100\nAPI_BASE_URL="http://localhost:8000"\n',
        "apps/api/.env.example": "DEBUG=0\n",
      },
      ["admin 3001 ./apps/admin", "live 3100 ./apps/live", "space 3002 ./apps/space", "web 3000 ./apps/web"],
    ],
    [
      "outline: a Procfile's name, and the port of the sample env file",
      {
        "package.json": pack("outline", {
          start: "node ./build/server/index.js",
          dev: 'NODE_ENV=development yarn concurrently "node --inspect=0.0.0.0 build/server/index.js --services=web"',
          "vite:dev": "vite",
        }),
        Procfile: "web: yarn start",
        ".env.sample": "PORT=3000\n",
      },
      ["web 3000 -"],
    ],
    [
      "directus: an app on Vite with a port of its own, and an API behind a debugger",
      {
        "app/package.json": pack("@directus/app", { dev: "vite" }),
        "app/vite.config.js": "export default { server: { proxy: {}, port: 8080 } };",
        "api/package.json": pack("@directus/api", {
          dev: "NODE_ENV=development SERVE_APP=false tsx watch --ignore extensions --clear-screen=false --inspect=0 src/start.ts",
        }),
        "api/.env": "HOST=0.0.0.0\nPORT=8055\n",
      },
      ["api 8055 ./api", "app 8080 ./app"],
    ],
    [
      "twenty: Nx projects",
      {
        "packages/twenty-server/project.json": JSON.stringify({
          name: "twenty-server",
          targets: {
            start: {
              executor: "nx:run-commands",
              options: { command: "NODE_ENV=development && nest start --watch" },
            },
            worker: { executor: "nx:run-commands", options: { command: "node dist/queue-worker.js" } },
          },
        }),
        "packages/twenty-front/package.json": pack("twenty-front", {}),
        "packages/twenty-front/project.json": JSON.stringify({
          name: "twenty-front",
          targets: { start: { executor: "@nx/vite:dev-server", options: { hmr: true } } },
        }),
        "packages/twenty-front/vite.config.ts":
          "export default { server: { port: Number(process.env.REACT_APP_PORT) || 3001 } };",
        "packages/twenty-website/package.json": pack("twenty-website", { dev: "npx next dev" }),
      },
      [
        "twenty-front 3001 ./packages/twenty-front",
        "twenty-server 3000 ./packages/twenty-server",
        "twenty-website 3000 ./packages/twenty-website",
      ],
    ],
    [
      "novu: ports in env files among the sources",
      {
        "apps/api/package.json": pack("@novu/api-service", { "start:dev": "nodemon", start: "nodemon" }),
        "apps/api/src/.env.development": "NODE_ENV=dev\nPORT=3000\n",
        "apps/webhook/package.json": pack("@novu/webhook", { start: "nodemon", "start:dev": "nodemon" }),
        "apps/webhook/src/.env.development": "PORT=3003\n",
        "apps/dashboard/package.json": pack("@novu/dashboard", { dev: "pnpm start", start: "vite" }),
        "apps/dashboard/vite.config.ts": "export default defineConfig({ server: { port: 4201 } });",
      },
      ["api-service 3000 ./apps/api", "dashboard 4201 ./apps/dashboard", "webhook 3003 ./apps/webhook"],
    ],
    [
      "formbricks: an app and its demo on the same framework, and a container that forwards their ports",
      {
        "apps/web/package.json": pack("@formbricks/web", { dev: "next dev -p 3000" }),
        "apps/demo/package.json": pack("@formbricks/demo", { dev: "next dev -p 3002 --turbo" }),
        ".devcontainer/devcontainer.json":
          '{\n  // What is forwarded\n  "forwardPorts": [3000, 5432, 8025],\n  "portsAttributes": { "8025": { "label": "Mailhog" }, },\n}\n',
      },
      ["demo 3002 ./apps/demo", "mailhog 8025 -", "web 3000 ./apps/web"],
    ],
  ])("%s", (_, files, services) => expect(found(files)).toEqual(services));
});

describe("cases", () => {
  test("two folders are two services, also when nobody said a port", () => {
    const dev = { dev: "next dev" };
    const files = {
      "apps/shop/package.json": pack("@acme/shop", dev),
      "apps/desk/package.json": pack("@acme/desk", dev),
    };
    expect(found(files)).toEqual(["desk 3000 ./apps/desk", "shop 3000 ./apps/shop"]);
  });

  test("react-router dev is Vite", () => {
    const files = { "package.json": pack("front", { dev: "react-router dev" }) };
    expect(found(files)).toEqual(["front 5173 -"]);
    const config = "export default { server: { port: 3100 } };";
    expect(found({ ...files, "vite.config.ts": config })).toEqual(["front 3100 -"]);
  });

  test("env files among the sources are those of the package", () => {
    const files = {
      "apps/hook/package.json": pack("@acme/hook", { dev: "node ." }),
      "apps/hook/src/.env.development": "PORT=3013\n",
    };
    expect(found(files)).toEqual(["hook 3013 ./apps/hook"]);
  });

  test("a debugger's port is no service's", () => {
    const dev = { dev: "nodemon --inspect=0.0.0.0:9229 src" };
    expect(found({ "package.json": pack("api", dev), ".env": "PORT=4005\n" })).toEqual(["api 4005 -"]);
  });

  test("an inline PORT of a Procfile beats the env file's", () => {
    const files = {
      "package.json": pack("acme", { dev: "nodemon src" }),
      Procfile: "web: PORT=5100 node dist\napi: cd services/api && PORT=5200 node .\n",
      ".env": "PORT=4000\n",
    };
    expect(found(files)).toEqual(["api 5200 ./services/api", "web 5100 -"]);
  });

  test("a source's fallback is read where the command tells nothing", () => {
    const files = {
      "apps/pay/package.json": pack("pay", { dev: "tsx watch src/index.ts" }),
      "apps/pay/src/index.ts": "const port = parseInt(process.env.PORT || '3002');\napp.listen(port);",
      "packages/lib/package.json": pack("lib", { dev: "tsc --watch" }),
      "packages/lib/src/index.ts": "export const url = process.env.PORT || '3009';",
    };
    expect(found(files)).toEqual(["pay 3002 ./apps/pay"]);
  });

  test("Compose files that share parts by merging", () => {
    const compose = `x-app: &app
  build: ./app
  ports: ["8088:80"]
services:
  app:
    <<: *app
    environment: { A: 1 }
`;
    expect(found({ "compose.yaml": compose })).toEqual(["app 8088 ./app"]);
  });

  test("two services of one name get names of their own", () => {
    const files = {
      "shop/web/package.json": pack("web", { dev: "next dev" }),
      "desk/web/package.json": pack("web", { dev: "next dev -p 3001" }),
    };
    expect(found(files)).toEqual(["shop-web 3000 ./shop/web", "web 3001 ./desk/web"]);
  });
});
