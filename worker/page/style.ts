/** The page's style sheet. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c2127, #e6e9ec); --muted: light-dark(#57606a, #9aa4ae);
  --page: light-dark(#ffffff, #14181c); --line: light-dark(#c9d1d9, #39424b);
  --accent: light-dark(#0b57a4, #7db9f5); --danger: light-dark(#a40e26, #ff9aa2);
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 0 1rem 3rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: .75rem 0; border-bottom: 1px solid var(--line); }
header strong { font-size: 1.1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0; padding: 0; list-style: none; }
header form { margin-left: auto; }
a { color: var(--accent); }
a[aria-current] { font-weight: 700; text-decoration: none; color: inherit; }
h1 { font-size: 1.5rem; margin: 1.25rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 1.5rem 0 .5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--muted); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
td:first-child, dd { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--muted); } dd { margin: 0; }
form.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: .75rem 0; }
label { display: block; }
input, select, button { font: inherit; color: inherit; padding: .35rem .6rem; border: 1px solid var(--muted); border-radius: .25rem; background: transparent; }
option { background: var(--page); }
input { min-width: min(20rem, 100%); }
button { cursor: pointer; } button.danger { color: var(--danger); border-color: var(--danger); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.note { border-left: 4px solid var(--accent); padding: .35rem .75rem; overflow-wrap: anywhere; }
.error { border-color: var(--danger); }
.muted { color: var(--muted); }
.skip { position: absolute; left: -100vw; } .skip:focus { left: 1rem; top: .5rem; background: var(--page); padding: .25rem; }
code { overflow-wrap: anywhere; }
`;
