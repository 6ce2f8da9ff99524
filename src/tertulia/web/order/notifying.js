/** The choice of what makes a sound. */

import { remember } from "../settings.js";
import { _ } from "../words.js";

/**
 * Choose what makes a sound: "off", "mentions", "at" or "all". Return the words for that.
 * @param {string} mode
 * @param {() => void} beep lets the person hear it, and lets the browser allow it
 * @returns {() => string}
 */
export function notifying(mode, beep) {
  remember("notify", mode);
  if (mode === "off") return () => _("No message makes a sound.");
  beep();
  if (window.isSecureContext && "Notification" in window) Notification.requestPermission();
  if (mode === "all") return () => _("Every message makes a sound.");
  return () => {
    const words = _("Mentions and direct messages make a sound.");
    const only = mode === "at" ? _("Only your name after “@” is a mention.") : "";
    return [words, only].join(" ").trim();
  };
}
