import { route } from "@react-router/dev/routes";

const answers = ["cookie", "cookies", "stream", "release", "json", "redirect", "absolute"];

export default [
  route("page", "page.jsx"),
  route("form", "form.jsx"),
  ...answers.map((name) => route(name === "absolute" ? "redirect/absolute" : name, `${name}.js`)),
];
