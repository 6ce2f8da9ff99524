/** Chooses which messages make a sound, and which events have a line in the chat. */

import { recall, remember } from "../settings.js";
import { _ } from "../words.js";
import { beep } from "./ringing.js";

/**
 * Choose what makes a sound: "off", "mentions", "at" or "all"; or with "statuses" whether a change of
 * status is a line in the chat. Return the words for that.
 * @param {string} mode
 * @returns {() => string}
 */
export function notifying(mode) {
  if (mode === "statuses") return switchStatuses();
  remember("notify", mode);
  if (mode === "off") return () => _("No message makes a sound.");
  beep(); // so that the person hears it, and the browser allows it
  if (window.isSecureContext && "Notification" in window) Notification.requestPermission();
  if (mode === "all") return () => _("Every message makes a sound.");
  return () => {
    const words = _("Mentions and direct messages make a sound.");
    const only = mode === "at" ? _("Only your name after “@” is a mention.") : "";
    return [words, only].join(" ").trim();
  };
}

function switchStatuses() {
  const isShown = recall("statuses") === "";
  remember("statuses", isShown ? "on" : "");
  return isShown
    ? () => _("Each change of status is a line in the chat now. Type it again to stop that.")
    : () => _("Changes of status show only in the list of people now.");
}
