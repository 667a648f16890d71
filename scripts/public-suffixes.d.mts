/** The rules of the Public Suffix List, as it writes them: `co.uk`, `*.ck`, `!www.ck`. */
export function rules(): string[];
/** The content of core/session/public-suffixes.ts. */
export function lines(): string;
