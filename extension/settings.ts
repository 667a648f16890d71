/** The values of the settings. */
import * as vscode from "vscode";
import { SETTING_DEFAULTS, SETTINGS_SECTION, type Setting, type Settings, settingId } from "./ids.ts";

/** `scope`: for settings that a folder may have of its own. */
export function setting<Name extends Setting>(name: Name, scope?: vscode.ConfigurationScope): Settings[Name] {
  return vscode.workspace.getConfiguration(SETTINGS_SECTION, scope).get(name, SETTING_DEFAULTS[name]);
}

export function settingChanged(event: vscode.ConfigurationChangeEvent, name: Setting): boolean {
  return event.affectsConfiguration(settingId(name));
}
