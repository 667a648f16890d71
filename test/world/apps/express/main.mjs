// The questions of frameworks.test.ts, asked of Express.
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";

const app = express();
let release = () => {};
app.get("/page", (_, response) => response.type("html").send("<p>served by express</p>"));
app.get("/asset", (_, response) => response.type("text").send("x".repeat(10_000)));
app.get("/redirect", (_, response) => response.redirect("/page"));
app.get("/redirect/absolute", (request, response) =>
  response.redirect(`${request.protocol}://${request.get("host")}/page`),
);
app.get("/cookies", (_, response) =>
  response
    .cookie("plain", "1")
    .cookie("shared", "2", { domain: ".shop.test", sameSite: "lax" })
    .cookie("dated", "3", { expires: new Date("2030-01-02T03:04:05Z"), httpOnly: true })
    .send("set"),
);
app.get("/cookie", (request, response) => response.send(request.headers.cookie ?? ""));
app.get("/stream", async (_, response) => {
  response.type("text/event-stream");
  response.write("data: first\n\n");
  await Promise.race([new Promise((resolve) => (release = resolve)), sleep(20_000)]);
  response.end("data: second\n\n");
});
app.get("/release", (_, response) => {
  release();
  response.send("released");
});
app.post("/form", express.urlencoded({ extended: false }), (request, response) =>
  response.send(request.body.name),
);
app.get("/json", (_, response) => response.json({ served: "express" }));
app.listen(process.env.PORT, "localhost");
