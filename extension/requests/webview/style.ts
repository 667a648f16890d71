/** Colours and fonts come from VS Code's theme. */
import { css } from "lit";

export const style = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100vh;
    color: var(--vscode-foreground);
    font-family: var(--vscode-font-family);
    font-size: var(--vscode-font-size);
    container-type: size;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px;
    padding: 4px 8px;
  }
  .bar vscode-textfield {
    flex: 1 1 220px;
    min-width: 140px;
    width: auto;
  }
  .count {
    color: var(--vscode-descriptionForeground);
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
    padding: 0 4px;
  }
  .note {
    padding: 2px 8px;
    color: var(--vscode-descriptionForeground);
  }
  .note.warn {
    color: var(--vscode-linkup-warningForeground);
  }
  .main {
    display: flex;
    flex: 1 1 0;
    min-height: 0;
  }
  .list {
    container: list / inline-size;
    flex: 3 1 0;
    min-width: 0;
    display: flex;
    flex-direction: column;
  }
  .list:focus-within .rows {
    outline: none;
  }
  .head,
  .row {
    display: grid;
    grid-template-columns:
      94px 60px 50px minmax(160px, 4fr) minmax(96px, 1fr) 62px minmax(60px, 110px) 84px
      70px minmax(60px, 110px);
    column-gap: 8px;
    padding: 0 8px;
    box-sizing: border-box;
    height: 22px;
    line-height: 22px;
    white-space: nowrap;
  }
  .head {
    font-weight: 600;
    color: var(--vscode-descriptionForeground);
    border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
  }
  .head > *,
  .row > * {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .rows {
    position: relative;
    flex: 1 1 0;
    overflow: hidden auto;
  }
  .rows:focus {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  .space {
    position: relative;
  }
  .row {
    position: absolute;
    left: 0;
    right: 0;
    cursor: default;
  }
  .row:hover {
    background: var(--vscode-list-hoverBackground);
    outline: 1px dashed var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .row[aria-selected="true"] {
    background: var(--vscode-list-inactiveSelectionBackground);
    outline: 1px solid var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .rows:focus .row[aria-selected="true"] {
    background: var(--vscode-list-activeSelectionBackground);
    color: var(--vscode-list-activeSelectionForeground);
  }
  .number,
  .time {
    font-variant-numeric: tabular-nums;
  }
  .number {
    text-align: right;
  }
  .ok {
    color: var(--vscode-linkup-healthyForeground);
  }
  .client-error {
    color: var(--vscode-linkup-warningForeground);
  }
  .server-error {
    color: var(--vscode-linkup-unhealthyForeground);
    font-weight: 600;
  }
  .dim {
    color: var(--vscode-descriptionForeground);
  }
  .local {
    color: var(--vscode-linkup-localForeground);
  }
  .override {
    color: var(--vscode-linkup-warningForeground);
  }
  /* Whatever a theme's selection looks like, its own text can be read on it. */
  .waterfall .span[aria-current="true"] :is(.client-error, .dim),
  .row[aria-selected="true"] :is(.ok, .client-error, .server-error, .dim, .local, .override) {
    color: inherit;
  }
  .took {
    position: relative;
  }
  .took i {
    position: absolute;
    left: 0;
    bottom: 2px;
    height: 2px;
    background: var(--vscode-progressBar-background);
    forced-color-adjust: none;
  }
  .words {
    padding: 16px;
    color: var(--vscode-descriptionForeground);
  }
  .details {
    flex: 2 1 0;
    min-width: 0;
    overflow: auto;
    border-left: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
    padding: 0 12px 12px;
  }
  .details:focus {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  h2 {
    font-size: 1em;
    font-weight: 600;
    margin: 12px 0 4px;
    overflow-wrap: anywhere;
  }
  h3 {
    font-size: 0.92em;
    font-weight: 600;
    margin: 12px 0 4px;
    color: var(--vscode-descriptionForeground);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
    margin: 4px 0;
  }
  ul {
    margin: 0;
    padding-left: 18px;
  }
  li,
  .headers {
    overflow-wrap: anywhere;
  }
  .headers {
    display: grid;
    grid-template-columns: minmax(80px, max-content) 1fr;
    gap: 1px 8px;
    font-family: var(--vscode-editor-font-family);
    font-size: var(--vscode-editor-font-size);
  }
  .headers > :nth-child(odd) {
    color: var(--vscode-symbolIcon-propertyForeground, var(--vscode-descriptionForeground));
  }
  .mark {
    font-family: var(--vscode-font-family);
    font-size: 0.9em;
    padding: 0 4px;
    border: 1px solid currentColor;
    border-radius: 3px;
    white-space: nowrap;
  }
  .mark.added {
    color: var(--vscode-linkup-healthyForeground);
  }
  .mark.changed {
    color: var(--vscode-linkup-warningForeground);
  }
  .mark.removed {
    color: var(--vscode-linkup-unhealthyForeground);
  }
  .removed-value {
    text-decoration: line-through;
  }
  pre {
    margin: 0;
    padding: 6px;
    max-height: 320px;
    overflow: auto;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    background: var(--vscode-textCodeBlock-background);
    font-family: var(--vscode-editor-font-family);
    font-size: var(--vscode-editor-font-size);
  }
  pre:focus {
    outline: 1px solid var(--vscode-focusBorder);
  }
  img {
    max-width: 100%;
    max-height: 240px;
  }
  .hops {
    display: grid;
    grid-template-columns: max-content 1fr max-content;
    gap: 2px 8px;
    align-items: center;
  }
  .hops .track {
    position: relative;
    height: 8px;
    background: var(--vscode-textCodeBlock-background);
  }
  .hops .track i {
    position: absolute;
    top: 0;
    bottom: 0;
    min-width: 1px;
    background: var(--vscode-progressBar-background);
  }
  .waterfall .span {
    display: grid;
    grid-template-columns: minmax(0, 2fr) minmax(60px, 3fr) 64px;
    gap: 0 8px;
    align-items: center;
    width: 100%;
    padding: 1px 4px;
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    text-align: left;
    cursor: pointer;
  }
  .waterfall .span:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .waterfall .span[aria-current="true"] {
    background: var(--vscode-list-inactiveSelectionBackground);
    outline: 1px solid var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .waterfall .span:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  /* Only the words are set in: all bars are on one scale. */
  .waterfall :is(.name, .gaps) {
    padding-left: calc(var(--depth) * 12px);
  }
  .waterfall .name {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .waterfall .track {
    position: relative;
    height: 10px;
    background: var(--vscode-textCodeBlock-background);
  }
  .waterfall .track :is(i, u) {
    position: absolute;
    top: 0;
    bottom: 0;
    min-width: 1px;
    background: var(--vscode-progressBar-background);
  }
  .waterfall .track u {
    top: 6px;
    background: var(--vscode-charts-green);
  }
  .waterfall .track u.tunnel {
    background: var(--vscode-charts-purple);
  }
  .waterfall .track u:is(.queue, .connect) {
    background: var(--vscode-charts-orange);
  }
  .waterfall .gaps {
    grid-column: 1 / -1;
    font-size: 0.92em;
  }
  .waterfall .gaps:empty {
    display: none;
  }
  .waterfall p {
    margin: 2px 4px;
  }
  vscode-context-menu {
    position: fixed;
    z-index: 10;
  }
  @container list (max-width: 860px) {
    .head,
    .row {
      grid-template-columns: 94px 56px 50px minmax(80px, 4fr) minmax(96px, 1fr) 56px 76px;
    }
    .wide {
      display: none;
    }
  }
  @container list (max-width: 580px) {
    .head,
    .row {
      grid-template-columns: 60px 52px minmax(80px, 4fr) minmax(48px, 1fr) 72px;
    }
    .medium {
      display: none;
    }
  }
  @container (max-width: 720px) {
    .main {
      flex-direction: column;
    }
    .details {
      border-left: 0;
      border-top: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
    }
  }
  @media (forced-colors: active) {
    .row[aria-selected="true"] {
      outline: 2px solid Highlight;
    }
  }
`;
