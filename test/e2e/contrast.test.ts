// The colors of the view's icons on the side bar of every theme that VS Code brings along.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { codeServer, root } from "./install.ts";

type Kind = "dark" | "light" | "highContrast" | "highContrastLight";
const KINDS: Record<string, Kind> = {
  vs: "light",
  "vs-dark": "dark",
  "hc-black": "highContrast",
  "hc-light": "highContrastLight",
};
/** VS Code's own, where a theme names none. */
const SIDE_BARS: Record<Kind, string> = {
  light: "#F3F3F3",
  dark: "#252526",
  highContrast: "#000000",
  highContrastLight: "#FFFFFF",
};

/** The colors of a theme file and those it includes. */
function colorsOf(file: string): Record<string, string> {
  // Theme files have comments and trailing commas.
  const text = readFileSync(file, "utf8");
  const json = text
    .replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "$1")
    .replace(/,(\s*[}\]])/g, "$1");
  const { include, colors } = JSON.parse(json) as { include?: string; colors?: Record<string, string> };
  return { ...(include ? colorsOf(join(dirname(file), include)) : {}), ...colors };
}

/** Of `#rrggbb`, as WCAG 2 has it. */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

test("every color has a contrast of 4.5:1 and more in every theme", async () => {
  const { entry } = await codeServer();
  const extensions = globSync(
    join(dirname(dirname(entry)), "..", "lib", "vscode", "extensions", "theme-*", "package.json"),
  );
  const themes = extensions.flatMap((manifest) => {
    const { contributes } = JSON.parse(readFileSync(manifest, "utf8"));
    return (contributes.themes ?? []).map(({ label, uiTheme, path }: Record<string, string>) => ({
      label: `${label}`,
      kind: KINDS[uiTheme!]!,
      file: join(dirname(manifest), path!),
    }));
  });
  expect(themes.length).toBeGreaterThan(12);
  const { contributes } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const tooPale = themes
    .filter(({ file }) => existsSync(file))
    .flatMap(({ label, kind, file }) => {
      const background = colorsOf(file)["sideBar.background"] ?? SIDE_BARS[kind as Kind];
      return contributes.colors.flatMap(
        ({ id, defaults }: { id: string; defaults: Record<Kind, string> }) => {
          const ratio = contrast(defaults[kind as Kind], background);
          return ratio < 4.5 ? [`${id} in ${label}: ${ratio.toFixed(1)}:1`] : [];
        },
      );
    });
  expect(tooPale).toEqual([]);
});
