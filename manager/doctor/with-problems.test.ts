import { expect, test } from "vitest";
import { text } from "../../core/text.ts";
import { problem } from "../model/problem.ts";
import { broken, type DoctorCheck, ok, warning } from "./report.ts";
import { withProblems } from "./with-problems.ts";

const told = (checks: readonly DoctorCheck[]) =>
  checks.map(({ id, state, found, fixes }) =>
    [id, state, found, ...fixes.map(({ title }) => title)].join(" | "),
  );
const retry = { command: "restart", title: "Try Again" };

test("a check has the words and the actions of the problem that it has found", () => {
  const one = problem(
    "worker-unreachable",
    text("The Worker at {0} has not answered.", "https://a.example"),
    [retry],
  );
  const checks = [
    broken("worker", text("fetch failed"), { subject: "https://b.example", code: "worker-unreachable" }),
    broken("worker", text("fetch failed"), { subject: "https://a.example", code: "worker-unreachable" }),
  ];
  expect(told(withProblems(checks, [one]))).toEqual([
    "worker | broken | fetch failed",
    "worker | broken | The Worker at https://a.example has not answered. | Try Again",
  ]);
});

test("every problem is there, once", () => {
  const hosts = problem("hosts-file-outdated", text("The hosts file lacks a.example."), [retry]);
  const left = problem("session-left", text("It is still at the Worker."));
  const checks = [ok("local-dns", text("Installed.")), warning("worker", text("It is still at the Worker."))];
  expect(told(withProblems(checks, [hosts, left, { ...left, configPath: "/shop/linkup.yaml" }]))).toEqual([
    "local-dns | ok | Installed.",
    "worker | warning | It is still at the Worker.",
    "local-dns | warning | The hosts file lacks a.example. | Try Again",
  ]);
});
