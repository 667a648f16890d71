import type { Command } from "commander";
import { expect, test } from "vitest";
import { program } from "./program.ts";

const all = program(false, []).commands;

/** A command's help, and those of its subcommands. */
const helpOf = (command: Command): string[] => [
  command.helpInformation(),
  ...command.commands.flatMap((below) => helpOf(below)),
];

test("there are some thirty commands", () => {
  expect(all.length).toBeGreaterThan(25);
});

test.each(all.map((command) => [command.name(), command] as const))(
  "%s alone is as among all",
  (name, command) => {
    for (const before of [[], ["-c", "stop"], ["-cstop"], ["--config", "stop"], ["--config=stop"]]) {
      const { commands } = program(false, [...before, name, "other"]);
      expect(commands.map((command) => command.name())).toEqual([name]);
      expect(commands.flatMap(helpOf)).toEqual(helpOf(command));
    }
  },
);

test.each([
  [[]],
  [["--help"]],
  [["--help", "start"]],
  [["--version", "start"]],
  [["help", "start"]],
  [["strat"]],
  [["constructor"]],
  [["-c"]],
  [["--config", "start"]],
  [["doctor"]],
])("%j has all commands", (words) => {
  expect(program(false, words).commands).toHaveLength(all.length);
});
