import { describe, expect, test } from "vitest";
import { portOf } from "./port.ts";

describe("what a command says", () => {
  test.each([
    ["vite --port 3001", 3001],
    ["next dev -p 4000", 4000],
    ["next dev -p4000", 4000],
    ["PORT=8080 node server.js", 8080],
    ["cross-env NODE_ENV=development PORT='8081' nodemon server.js", 8081],
    ["python manage.py runserver 0.0.0.0:9000", 9000],
    ["python manage.py runserver 9001", 9001],
    ["php -S localhost:8090 -t public", 8090],
    ["gunicorn app:app --bind :8002", 8002],
    ["uvicorn app.main:app --host 0.0.0.0 --port=8010", 8010],
    ["serve -l 5005 dist", 5005],
    ["node server.js --port ${PORT:-7000}", 7000],
    ["node server.js --port ${constructor:-7001}", 7001],
  ])("%s", (command, port) => expect(portOf(command, {})).toBe(port));
});

describe("what its kind usually takes", () => {
  test.each([
    ["vite", 5173],
    ["vite dev --open", 5173],
    ["next dev --turbo", 3000],
    ["astro dev", 4321],
    ["ng serve", 4200],
    ["bundle exec rails server", 3000],
    ["mix phx.server", 4000],
    ["wrangler dev", 8787],
  ])("%s", (command, port) => expect(portOf(command, {})).toBe(port));
});

describe("nothing", () => {
  test.each([
    "tsc --watch",
    "vite build --watch",
    "turbo run dev",
    "tsx watch src/index.ts",
    "tsc -p tsconfig.json",
    "node server.js --port 99999",
    "wait-on http://localhost:3000",
  ])("%s", (command) => expect(portOf(command, {})).toBeUndefined());
});

test("variables of env files are known, and what the command says comes first", () => {
  expect(portOf("tsx watch src/index.ts", { PORT: "4001" })).toBe(4001);
  expect(portOf("node . -p $PORT", { PORT: "4001" })).toBe(4001);
  expect(portOf("node . -p ${API_PORT}", { API_PORT: "4002", PORT: "1" })).toBe(4002);
  expect(portOf("node . -p 4003", { PORT: "4001" })).toBe(4003);
});
