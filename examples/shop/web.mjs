// web: serves the page. Reached at shop.localhost and, in a session, at <session>.shop.localhost.
import { readFileSync } from "node:fs";
import { pathOf, sendJson, serve } from "./service.mjs";

const files = {
  "/": { type: "text/html", body: read("index.html") },
  "/page.css": { type: "text/css", body: read("page.css") },
  "/page.js": { type: "text/javascript", body: read("page.js") },
  "/icon.svg": { type: "image/svg+xml", body: read("icon.svg") },
};

serve("web", (request, response, copy) => {
  const path = pathOf(request);
  if (path === "/whoami") return sendJson(response, 200, { service: "web", copy });
  if (Object.hasOwn(files, path)) {
    const { type, body } = files[path];
    response.setHeader("content-type", `${type}; charset=utf-8`);
    // The page itself says which copy it came from, also to a reader without scripts.
    return response.end(path === "/" ? body.replaceAll("{{copy}}", copy) : body);
  }
  const error = path.startsWith("/auth/")
    ? `This is web itself, which has no ${path}: behind Linkup, the domain's route takes it to auth.`
    : `web has no ${path}`;
  sendJson(response, 404, { service: "web", copy, error });
});

function read(name) {
  return readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8");
}
