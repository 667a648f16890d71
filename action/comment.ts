/** The comment on the pull request. */

export interface PreviewComment {
  name: string;
  urls: readonly string[];
  /** The services that the preview takes from the pull request. */
  locations: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  expires: number;
}

/** Stands at the start of the comment, invisible, and finds it again. */
export function commentMark(name: string): string {
  return `<!-- linkup-preview: ${name} -->`;
}

export function previewText({ name, urls, locations, expires }: PreviewComment): string {
  const services = Object.entries(locations).map(
    ([service, location]) => `| ${code(service)} | ${code(location)} |`,
  );
  return [
    `**Preview** \`${name}\``,
    "",
    ...urls.map((url) => `- ${url}`),
    "",
    "| service | from |",
    "|---|---|",
    ...services,
    "",
    `All other services are the deployed ones. It ends ${isoMinute(expires)}, or when this pull request closes; a push gives it its time again.`,
  ].join("\n");
}

export function removedText(name: string): string {
  return `**Preview** \`${name}\` was removed.`;
}

/** The workflow may put a branch's name into a URL: nothing of it is Markdown, HTML or a mention. */
function code(text: string): string {
  return `\`${text.replaceAll(/[`|\p{Cc}]/gu, (character) => encodeURIComponent(character))}\``;
}

function isoMinute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
