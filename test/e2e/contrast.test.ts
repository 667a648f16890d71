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
/** What rows lie on, with VS Code's own colors where a theme names none. Undefined: an outline shows it instead. */
const SIDE_BAR: Record<Kind, string> = {
  light: "#F3F3F3",
  dark: "#252526",
  highContrast: "#000000",
  highContrastLight: "#FFFFFF",
};
const BACKGROUNDS: Record<string, Record<Kind, string | undefined>> = {
  "list.hoverBackground": {
    light: "#F0F0F0",
    dark: "#2A2D2E",
    highContrast: "#FFFFFF1A",
    highContrastLight: "#0F4A851A",
  },
  "list.inactiveSelectionBackground": {
    light: "#E4E6F1",
    dark: "#37373D",
    highContrast: undefined,
    highContrastLight: "#0F4A851A",
  },
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

/** `#rrggbbaa` as it looks on an opaque color. */
function over(color: string, below: string): string {
  const alpha = color.length === 9 ? Number.parseInt(color.slice(7), 16) / 255 : 1;
  const parts = [1, 3, 5].map((at) => {
    const [top, bottom] = [color, below].map((each) => Number.parseInt(each.slice(at, at + 2), 16));
    return Math.round(alpha * top! + (1 - alpha) * bottom!)
      .toString(16)
      .padStart(2, "0");
  });
  return `#${parts.join("")}`;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

/** Of each theme that VS Code brings along: what the view's rows may lie on. */
async function grounds(): Promise<{ label: string; kind: Kind; ground: string; color: string }[]> {
  const { entry } = await codeServer();
  const extensions = globSync(
    join(dirname(dirname(entry)), "..", "lib", "vscode", "extensions", "theme-*", "package.json"),
  );
  return extensions.flatMap((manifest) => {
    const { contributes } = JSON.parse(readFileSync(manifest, "utf8"));
    return (contributes.themes ?? []).flatMap(({ label, uiTheme, path }: Record<string, string>) => {
      const file = join(dirname(manifest), path!);
      if (!existsSync(file)) return [];
      const kind = KINDS[uiTheme!]!;
      const colors = colorsOf(file);
      const sideBar = colors["sideBar.background"] ?? SIDE_BAR[kind];
      const others = Object.entries(BACKGROUNDS).flatMap(([ground, defaults]) => {
        const color = colors[ground] ?? defaults[kind];
        return color ? [{ label, kind, ground, color: over(color, sideBar) }] : [];
      });
      return [{ label, kind, ground: "sideBar.background", color: sideBar }, ...others];
    });
  });
}

test("icons and marks have a contrast of 4.5:1 and more in every theme, under the mouse and selected too", async () => {
  const found = await grounds();
  expect(new Set(found.map(({ label }) => label)).size).toBeGreaterThan(10);
  const { contributes } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const tooPale = found.flatMap(({ label, kind, ground, color }) =>
    contributes.colors.flatMap(({ id, defaults }: { id: string; defaults: Record<Kind, string> }) => {
      const ratio = contrast(defaults[kind], color);
      return ratio < 4.5 ? [`${id} on ${ground} of ${label}: ${ratio.toFixed(1)}:1`] : [];
    }),
  );
  expect(tooPale).toEqual([]);
});
