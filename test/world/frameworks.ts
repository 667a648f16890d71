/** The frameworks that answer the same questions, as their users start them. */
import type { AppCommand } from "./app.ts";
import { PYTHON } from "./app.ts";

export interface Framework extends AppCommand {
  name: string;
  /** An asset that it can answer with 304; `/asset` when not given. */
  asset?: string;
  /** A file whose change its pages show without a reload, with what it says then. */
  hot?: { file: string; change(text: string): string };
  /** It serves files alone: no redirects, cookies, forms. */
  filesOnly?: true;
  /** Has no handler of its own for conditional requests. */
  noEtag?: true;
}

const python = (...args: string[]) => [PYTHON ?? "python3", ...args];

export const NODE_SERVERS: Framework[] = [
  { name: "express", argv: () => [process.execPath, "main.mjs"] },
  { name: "fastify", argv: () => [process.execPath, "main.mjs"] },
];

export const PYTHON_SERVERS: Framework[] = [
  { name: "fastapi", argv: (port) => python("-m", "uvicorn", "main:app", "--port", String(port)) },
  { name: "django", argv: (port) => python("main.py", "runserver", "--noreload", `127.0.0.1:${port}`) },
  { name: "flask", argv: (port) => python("-m", "flask", "--app", "main", "run", "--port", String(port)) },
];

export const BUNDLERS: Framework[] = [
  {
    name: "vite",
    argv: (port) => ["vite", "--port", String(port), "--strictPort"],
    ready: "/",
    asset: "/main.js",
    filesOnly: true,
    hot: { file: "text.js", change: (text) => `export const text = ${JSON.stringify(text)};\n` },
  },
  {
    name: "next",
    argv: (port) => ["next", "dev", "--port", String(port)],
    noEtag: true,
    hot: {
      file: "app/page/text.jsx",
      change: (text) => `"use client";\nexport function Text() {\n  return <p id="text">${text}</p>;\n}\n`,
    },
  },
  {
    name: "sveltekit",
    argv: (port) => ["vite", "dev", "--port", String(port), "--strictPort"],
    answers: "src",
    asset: "/src/routes/page/Text.svelte",
    hot: { file: "src/routes/page/Text.svelte", change: (text) => `<p id="text">${text}</p>\n` },
  },
  {
    name: "astro",
    argv: (port) => ["astro", "dev", "--port", String(port)],
    answers: "src",
    asset: "/src/client.js",
    hot: {
      file: "src/text.astro",
      change: (text) => `<p id="text">${text}</p>\n<script src="./client.js"></script>\n`,
    },
  },
  {
    name: "react-router",
    argv: (port) => ["react-router", "dev", "--port", String(port), "--strictPort"],
    answers: "app",
    asset: "/app/text.jsx",
    hot: {
      file: "app/text.jsx",
      change: (text) => `export function Text() {\n  return <p id="text">${text}</p>;\n}\n`,
    },
  },
];
