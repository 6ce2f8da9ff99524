/** The colours that a person chooses for this browser, in the place of those of the system. */

import { recall, remember } from "../settings.js";

/** @param {string} wanted "light", "dark", "auto", or "": the other one */
export function changeTheme(wanted) {
  const isDark = recall("theme")
    ? recall("theme") === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = wanted === "auto" ? "" : wanted || (isDark ? "light" : "dark");
  remember("theme", theme);
  document.documentElement.dataset.theme = theme;
}
